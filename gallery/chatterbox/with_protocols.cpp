// The server as callbacks: what has happened so far is in the members.
#include "chatterbox/cleaned.hpp"
#include "chatterbox/servers.hpp"

#include <rondo/rondo.hpp>

#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace chatterbox {

namespace {

// region protocol
class caller final : public rondo::protocol, public guest {
public:
    using guest::guest;

    void connection_made(rondo::transport& line) override {
        line_ = &line;
        line.set_write_buffer_limits({.high = too_far_behind});
        welcome();
    }
    void data_received(std::span<const std::byte> data) override {
        for (const char byte : rondo::bytes_view(data).view()) {
            if (byte == '\n') hear_line();
            else if (heard_.size() < endless_line) heard_ += byte;
            else return line_->close();
        }
    }
    bool eof_received() override {
        if (!heard_.empty()) hear_line();
        return false; // nothing more to say to somebody who has ended
    }
    void connection_lost(std::exception_ptr) override {
        leave();
        line_ = nullptr;
    }
    void pause_writing() override { line_->abort(); }
    void tell(std::string_view text) override {
        if (line_ && !line_->is_closing()) line_->write(text);
    }

private:
    void hear_line() {
        const std::string line = std::exchange(heard_, {});
        if (is_too_long(line)) return;
        if (is_in_) say(cleaned(line));
        else is_in_ = enter(cleaned(line));
    }

    rondo::transport* line_ = nullptr;
    std::string heard_; // of a line whose end has not come
    bool is_in_ = false;
};
// endregion

} // namespace

rondo::coro<rondo::server> serve_with_protocols(room& where, std::uint16_t port) {
    co_return co_await rondo::running_loop().create_server([&where] { return std::make_shared<caller>(where); },
                                                           "127.0.0.1", port, {.backlog = 1024});
}

} // namespace chatterbox
