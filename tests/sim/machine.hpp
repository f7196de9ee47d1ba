// A program that uses all that a machine has: files, without power too, processes, signals.
#pragma once

#include <rondo/io/async_file.hpp>
#include <rondo/io/read_file.hpp>
#include <rondo/io/signal_receiver.hpp>
#include <rondo/io/subprocess.hpp>
#include <rondo/io/write_file.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/sleep.hpp>

#include <chrono>
#include <csignal>
#include <system_error>

namespace rondo::test {

inline coro<> files_without_power() {
    auto file = co_await open_file("/var/log", "w+");
    for (int i = 0; i < 3; ++i) co_await file.write("a line\n");
    co_await file.sync();
    for (int i = 0; i < 3; ++i) co_await file.write("another line\n");
    co_await file.truncate(10);
    static_cast<void>(co_await file.read_at(0, 5));
    co_await write_file("/etc/state", "state", {.replace = true, .sync = true});
    sim::world().lose_power();
    co_await file.aclose();
}

inline coro<> a_process_and_a_signal() {
    sim::world().add_program("/bin/cat", [](sim::invocation me) -> coro<int> {
        while (auto line = co_await me.in->read_line()) co_await me.out->write(*line);
        co_await me.out->aclose();
        co_return 0;
    });
    auto child = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe, .out = stdio::pipe});
    static_cast<void>(co_await child.communicate(bytes("one\n")));
    signal_receiver signals({SIGHUP});
    sim::world().raise(SIGHUP);
    static_cast<void>(co_await signals.next());
}

inline coro<> files_at_length() {
    for (int i = 0; i < 10; ++i) {
        try {
            co_await files_without_power();
        } catch (const std::system_error&) {} // the disk has failed somewhere
    }
}

inline coro<> machine() {
    running_loop().set_exception_handler([](auto&, const auto&) {});
    try {
        co_await files_without_power();
    } catch (const std::system_error&) {}
    try {
        co_await a_process_and_a_signal();
    } catch (const std::system_error&) {
    } catch (const runtime_error&) { // nobody more can watch a signal
    }
}

} // namespace rondo::test
