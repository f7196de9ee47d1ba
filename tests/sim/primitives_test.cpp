// The library's own primitives, each in a thousand worlds with every fault.
#include <rondo/io/errors.hpp>
#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/sync/lock.hpp>
#include <rondo/sync/queue.hpp>
#include <rondo/sync/semaphore.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/exception_handler.hpp>
#include <rondo/task/move_on_after.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/task_group.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::task;
using rondo::sim::hesitate;
using rondo::sim::perhaps;

/// Each of them is made twice, and must be the same.
rondo::sim::options a_thousand() {
    return {.schedules = 1000, .faults = rondo::sim::fault_classes::all(), .replayed = 1000};
}

/// Some of the tasks are cancelled, at some time.
coro<> cancel_some(std::vector<task<>>& tasks) {
    for (task<>& t : tasks) {
        co_await hesitate("before cancelling");
        if (perhaps("a task is cancelled")) t.cancel();
    }
    for (task<>& t : tasks) {
        const auto outcome = co_await rondo::as_result(t);
        EXPECT_TRUE(outcome || t.cancelled());
    }
}

TEST(ThousandWorlds, ALockIsHeldByOneAndNeverLost) {
    rondo::sim::expect_no_failure(a_thousand(), []() -> coro<> {
        rondo::lock lock("shared");
        int inside = 0;
        std::vector<task<>> workers;
        for (int i = 0; i < 4; ++i) {
            workers.push_back(rondo::create_task([&]() -> coro<> {
                for (int round = 0; round < 3; ++round) {
                    co_await hesitate("before the lock");
                    auto held = co_await lock.scoped_lock();
                    EXPECT_EQ(++inside, 1);
                    const auto leave = [](int* n) { --*n; };
                    const std::unique_ptr<int, decltype(leave)> leaves(&inside);
                    co_await hesitate("while it is held");
                }
            }));
        }
        co_await cancel_some(workers);
        EXPECT_EQ(inside, 0);
        EXPECT_TRUE(lock.try_lock());
        lock.release();
    });
}

TEST(ThousandWorlds, ASemaphoreKeepsItsPermits) {
    rondo::sim::expect_no_failure(a_thousand(), []() -> coro<> {
        rondo::semaphore permits(2);
        std::vector<task<>> workers;
        for (int i = 0; i < 5; ++i) {
            workers.push_back(rondo::create_task([&]() -> coro<> {
                co_await hesitate("before the permit");
                co_await permits.acquire();
                const auto give_back = [](rondo::semaphore* s) { s->release(); };
                const std::unique_ptr<rondo::semaphore, decltype(give_back)> held(&permits);
                co_await rondo::sleep(std::chrono::milliseconds(rondo::sim::choose(3, "how long it is held")));
            }));
        }
        co_await cancel_some(workers);
        co_await permits.acquire();
        co_await permits.acquire();
    });
}

TEST(ThousandWorlds, AQueueLosesNothingAndKeepsTheOrder) {
    rondo::sim::expect_no_failure(a_thousand(), []() -> coro<> {
        constexpr int items = 6;
        rondo::queue<int> queue(2);
        std::vector<int> got;
        auto producer = rondo::create_task([&]() -> coro<> {
            for (int i = 0; i < items; ++i) {
                co_await hesitate("before the put");
                co_await queue.put(i);
            }
            queue.shutdown();
        });
        std::vector<task<>> impatient;
        for (int i = 0; i < 3; ++i) {
            impatient.push_back(rondo::create_task([&]() -> coro<> {
                co_await hesitate("before the get");
                got.push_back(co_await queue.get());
            }));
        }
        co_await cancel_some(impatient);
        while (auto item = co_await queue.next()) got.push_back(*item);
        co_await producer;
        std::vector<int> all(items);
        for (int i = 0; i < items; ++i) all[static_cast<std::size_t>(i)] = i;
        EXPECT_EQ(got, all);
    });
}

TEST(ThousandWorlds, ATaskGroupWithTimeoutsEndsWithAllItsChildren) {
    rondo::sim::expect_no_failure(a_thousand(), []() -> coro<> {
        int running = 0;
        int finished = 0;
        const auto count = [](int* n) { --*n; };
        const auto before = rondo::clock::now();
        const auto child = [&](int i) -> coro<> {
            ++running;
            const std::unique_ptr<int, decltype(count)> ends(&running);
            co_await hesitate("at the beginning of a child");
            co_await rondo::sleep(
                std::chrono::milliseconds(10 * i + 10 * static_cast<int>(rondo::sim::choose(4, "how much longer"))));
            ++finished;
        };
        const auto all = [&]() -> coro<> {
            co_await rondo::task_group::run([&](rondo::task_group& group) -> coro<> {
                for (int i = 0; i < 4; ++i) static_cast<void>(group.create_task(child, i));
                co_await hesitate("in the group");
            });
        };
        const auto in_time = co_await rondo::move_on_after(35ms, all());
        EXPECT_EQ(running, 0);
        if (in_time) EXPECT_EQ(finished, 4);
        else EXPECT_GE(rondo::clock::now() - before, 35ms);
    });
}

coro<> serve_lines(rondo::stream_reader reader, rondo::stream_writer writer) {
    try {
        while (auto line = co_await reader.read_line()) co_await writer.write(*line);
        co_await writer.aclose();
    } catch (const std::system_error&) { // the connection was lost
    }
}

/// Lines come back whole and in order, as far as they come back.
coro<> ask(std::uint16_t port, int who, int& answered) {
    try {
        auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", port);
        for (int i = 0; i < 3; ++i) {
            const std::string line = "client " + std::to_string(who) + " line " + std::to_string(i) + "\n";
            co_await writer.write(line);
            const auto back = co_await reader.read_line();
            if (!back) co_return;
            const bool whole = back->view().ends_with('\n');
            EXPECT_EQ(back->view(), whole ? line : line.substr(0, back->size()));
            if (!whole) co_return;
            ++answered;
        }
        co_await writer.aclose();
    } catch (const std::system_error&) {}
}

int echoed(const rondo::sim::options& how) {
    int answered = 0;
    rondo::sim::expect_no_failure(how, [&]() -> coro<> {
        rondo::running_loop().set_exception_handler([](auto&, const rondo::error_context& what) {
            EXPECT_NE(what.message.find("accepting connections"), std::string::npos) << what.message;
        });
        try {
            auto server = co_await rondo::start_server(serve_lines, "127.0.0.1", 0);
            std::vector<task<>> clients;
            for (int i = 0; i < 3; ++i)
                clients.push_back(rondo::create_task(ask, server.port(), i, std::ref(answered)));
            co_await cancel_some(clients);
            static_cast<void>(co_await server.shutdown(1s));
        } catch (const std::system_error&) { // no socket to listen on
        }
    });
    return answered;
}

TEST(ThousandWorlds, AnEchoServerLosesNoLineItDoesNotLoseTheConnectionOf) { EXPECT_GT(echoed(a_thousand()), 0); }

TEST(ThousandWorlds, AnEchoServerAnswersEveryLineWhereNothingFails) {
    EXPECT_EQ(echoed({.schedules = 1, .faults = rondo::sim::fault_classes::none(), .replayed = 0}), 9);
}

} // namespace
