// An echo server that speaks slowly: a task for each chunk.

#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace std::chrono_literals;

// region say
rondo::coro<> say(rondo::stream_writer& writer, rondo::bytes chunk, rondo::guard<rondo::semaphore>) {
    for (const char& byte : chunk.view()) {
        co_await writer.write(std::string_view(&byte, 1));
        co_await rondo::sleep(50ms);
    }
}
// endregion

/// Finds the line "exit", in whatever pieces the network makes of it.
class exit_word {
public:
    bool is_in(std::string_view chunk) {
        for (const char byte : chunk) {
            if (byte == '\n') {
                if (line_ == "exit" || line_ == "exit\r") return true;
                line_.clear();
            } else if (line_.size() <= 5) {
                line_ += byte;
            }
        }
        return false;
    }

private:
    std::string line_; // no more of it than tells "exit" from other lines
};

// region serve
rondo::coro<> echo(rondo::stream_reader& reader, rondo::stream_writer& writer) {
    rondo::semaphore voices(
        16); // so many chunks at a time; while all are taken nothing is read, and the sender has to wait
    exit_word exit;
    co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
        while (true) {
            auto voice = co_await voices.scoped_acquire();
            rondo::bytes chunk = co_await reader.read(1024);
            if (chunk.empty()) co_return; // the end of the stream: what was begun is still said
            if (exit.is_in(chunk.view())) {
                group.cancel(); // in the middle of a word, if need be
                co_return;
            }
            group.create_task(say, std::ref(writer), std::move(chunk), std::move(voice));
        }
    });
}

rondo::coro<> serve(rondo::stream_reader reader, rondo::stream_writer writer) {
    try {
        co_await echo(reader, writer);
    } catch (const rondo::exception_group& errors) { // of the tasks and of the loop that reads
        rondo::except_star(errors)
            .on<rondo::connection_error>([](const rondo::exception_group&) { std::puts("somebody hung up"); })
            .rethrow_rest();
    }
    writer.close();
}
// endregion

rondo::coro<> program(std::uint16_t port) {
    rondo::signal_receiver stop({SIGINT, SIGTERM});
    auto server = co_await rondo::start_server(serve, "127.0.0.1", port);
    std::printf("listening on port %d; try: nc 127.0.0.1 %d, and end with: exit\n", server.port(), server.port());
    co_await stop.next();
    const auto report = co_await server.shutdown(100ms);
    std::printf("closed; %zu in mid-word\n", report.cancelled);
}

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "An echo server that speaks slowly: a task for each chunk.");
    const auto port = options.number("--port", 0, 0, 65535, "where to listen; 0: a free port");
    options.done();
    rondo::run({.handle_sigint = false}, program, static_cast<std::uint16_t>(port)); // the program receives it itself
}
