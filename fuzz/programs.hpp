// Programs whose choices a fuzzer makes: small, and full of the library's own machinery.
#pragma once

#include <rondo/rondo.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace rondo::fuzz {

using namespace std::chrono_literals;

/// What an operation fails with ends its task, as in a program that does not look closely.
inline coro<> serve_lines(stream_reader reader, stream_writer writer) {
    try {
        while (auto line = co_await reader.read_line()) co_await writer.write(*line);
        co_await writer.aclose();
    } catch (const std::system_error&) { // the client has left
    }
}

inline coro<> ask(connection c) {
    try {
        for (const std::string_view line : {"one\n", "two\n", "three\n"}) {
            co_await c.writer.write(line);
            const auto back = co_await c.reader.read_line();
            if (!back || !back->view().ends_with('\n')) co_return;
            if (back->view() != line) throw std::logic_error("another answer than the question");
        }
        co_await c.writer.aclose();
    } catch (const std::system_error&) { // the server has left
    }
}

inline coro<> echo() {
    running_loop().set_exception_handler([](auto&, const auto&) {}); // of accepting, when it fails
    try {
        server tcp = co_await start_server(serve_lines, "127.0.0.1", 0);
        server local = co_await start_unix_server(serve_lines, "/run/echo.sock");
        const std::uint16_t port = tcp.port();
        co_await task_group::run([port](task_group& group) -> coro<> {
            for (int i = 0; i < 2; ++i) {
                auto client = group.create_task(
                    [](std::uint16_t to) -> coro<> {
                        try {
                            co_await ask(co_await open_connection("127.0.0.1", to));
                        } catch (const std::system_error&) {}
                    },
                    port);
                if (sim::perhaps("a client is cancelled")) client.cancel();
            }
            group.create_task([]() -> coro<> {
                try {
                    co_await ask(co_await open_unix_connection("/run/echo.sock"));
                } catch (const std::system_error&) {}
            });
            co_return;
        });
        static_cast<void>(co_await tcp.shutdown(1s));
    } catch (const std::system_error&) { // nothing to listen on
    }
}

/// Producers and consumers, some of them impatient.
inline coro<> pipeline() {
    queue<int> jobs(2);
    channel<int> done(1);
    int sum = 0;
    co_await task_group::run([&](task_group& group) -> coro<> {
        group.create_task(
            [](queue<int>* to) -> coro<> {
                for (int i = 1; i <= 6; ++i) {
                    co_await sim::hesitate("before a job");
                    co_await to->put(i);
                }
                to->shutdown();
            },
            &jobs);
        for (int worker = 0; worker < 2; ++worker) {
            group.create_task(
                [](queue<int>* from, send_channel<int> to) -> coro<> {
                    while (auto job = co_await from->next()) {
                        const auto in_time = co_await move_on_after(
                            5ms, sleep(std::chrono::milliseconds(sim::choose(10, "how long a job takes"))));
                        co_await to.send(in_time ? *job : -*job);
                    }
                },
                &jobs, done.tx.clone());
        }
        done.tx.close();
        while (auto result = co_await done.rx.next()) sum += std::abs(*result);
    });
    if (sum != 21) throw std::logic_error("a job was lost, or done twice");
}

/// Locks, cancellations and deadlines in each other.
inline coro<> contention() {
    lock shared;
    semaphore permits(2);
    int inside = 0;
    std::vector<task<>> all;
    for (int i = 0; i < 4; ++i) {
        all.push_back(create_task([&]() -> coro<> {
            co_await sim::hesitate("before the permit");
            const auto permit = co_await permits.scoped_acquire();
            co_await move_on_after(3ms, [&]() -> coro<> {
                const auto held = co_await shared.scoped_lock();
                if (++inside != 1) throw std::logic_error("two hold the lock");
                struct leaving {
                    int& n;
                    ~leaving() { --n; }
                } at_the_end{inside};
                co_await sleep(std::chrono::milliseconds(sim::choose(5, "how long it is held")));
            });
        }));
    }
    for (auto& t : all) {
        co_await sim::hesitate("before cancelling");
        if (sim::perhaps("a task is cancelled")) t.cancel();
    }
    for (auto& t : all) {
        const auto outcome = co_await as_result(t);
        if (!outcome && !t.cancelled()) std::rethrow_exception(outcome.error());
    }
    if (shared.locked() || permits.locked()) throw std::logic_error("something is not given back");
}

/// A service whose host is cut off and crashes, and a client that tries a few times.
inline coro<> cut_off() {
    running_loop().set_exception_handler([](auto&, const auto&) {}); // of accepting, when it fails
    auto& here = sim::world();
    sim::host& store = here.add_host("store");
    store.start([]() -> coro<> {
        try {
            server tcp = co_await start_server(serve_lines, "0.0.0.0", 7);
            co_await tcp.serve_forever();
        } catch (const std::system_error&) { // nothing to listen on
        }
    });
    for (int i = 0; i < 3; ++i) {
        if (sim::perhaps("the store crashes")) store.restart();
        if (sim::perhaps("the network is cut")) here.partition(store, here.body_host());
        if (sim::perhaps("nothing comes back")) here.partition_one_way(store, here.body_host());
        try {
            co_await timeout(10s, []() -> coro<> { co_await ask(co_await open_connection("store", 7)); });
        } catch (const std::system_error&) { // not this time
        }
        if (sim::perhaps("the power fails")) store.crash();
        here.heal();
    }
}

struct program {
    std::string_view name;
    coro<> (*body)();
};
inline constexpr std::array programs{program{"echo", echo}, program{"pipeline", pipeline},
                                     program{"contention", contention}, program{"cut off", cut_off}};

} // namespace rondo::fuzz
