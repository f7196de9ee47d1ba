// The other end of a gallery program that is a server.
#pragma once

#include "gallery/gallery.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace gallery::test {

/// A server that runs in a process of its own.
class served {
public:
    static rondo::coro<served> start(std::string name, program::arguments words) {
        served s;
        s.process_ = co_await test::start(name, std::move(words));
        const std::string line = co_await s.process_->until_printed("port ");
        s.port = static_cast<std::uint16_t>(std::stoi(line.substr(line.find("port ") + 5)));
        co_return s;
    }
    /// It must end well, and have said nothing on stderr.
    rondo::coro<finished> stop(int signal = SIGTERM) {
        process_->send_signal(signal);
        finished end = co_await rondo::timeout(std::chrono::seconds(60), process_->finish());
        EXPECT_EQ(end.code, 0);
        EXPECT_TRUE(end.err.empty()) << end.err.front();
        co_return end;
    }
    rondo::coro<> says(std::string text) { co_await process_->until_printed(std::move(text)); }

    std::uint16_t port = 0;

private:
    std::unique_ptr<program> process_;
};

/// Whoever waits here for what does not come fails, and does not hang.
inline void in_time(std::function<rondo::coro<>()> body) {
    rondo::run([&]() -> rondo::coro<> { co_await rondo::timeout(std::chrono::minutes(4), body()); });
}

inline rondo::coro<rondo::connection> call(const served& s) {
    return [](std::uint16_t port) -> rondo::coro<rondo::connection> {
        co_return co_await rondo::open_connection("127.0.0.1", port, {.limit = 1 << 20});
    }(s.port);
}

/// What `command` prints when `typed` is typed in and then no more.
inline rondo::coro<std::string> typed_into(std::vector<std::string> command, std::string typed) {
    auto process = co_await rondo::create_subprocess_exec(
        std::move(command), {.in = rondo::stdio::pipe, .out = rondo::stdio::pipe, .err = rondo::stdio::to_stdout});
    const rondo::process_output output = co_await process.communicate(rondo::bytes(typed));
    co_return output.out->str();
}

struct exchange {
    std::string heard;
    std::string answer; // empty: no more is typed in
};
/// Types each answer in once the text before it was printed; gives all that is printed to the end.
inline rondo::coro<std::string> hold(std::vector<std::string> command, std::vector<exchange> conversation) {
    auto process = co_await rondo::create_subprocess_exec(
        std::move(command), {.in = rondo::stdio::pipe, .out = rondo::stdio::pipe, .err = rondo::stdio::to_stdout});
    std::string printed;
    for (const exchange& e : conversation) {
        printed += (co_await process.out->read_until(e.heard)).view();
        if (e.answer.empty()) process.in->close();
        else co_await process.in->write(e.answer);
    }
    printed += (co_await process.out->read_all()).view();
    process.in->close();
    co_await process.wait();
    co_return printed;
}

} // namespace gallery::test
