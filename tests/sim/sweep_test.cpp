#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/sync/lock.hpp>
#include <rondo/sync/queue.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/task_group.hpp>

#include "sim/mutants/leaky_dial.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>

#include <sys/socket.h>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::sim::failure_kind;

TEST(SweepCancel, CancelsBeforeEveryPassOnce) {
    std::size_t begun = 0;
    std::size_t ended = 0;
    const auto swept = rondo::sim::sweep_cancel({}, [&]() -> coro<> {
        ++begun;
        for (int i = 0; i < 5; ++i) co_await rondo::yield();
        ++ended;
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
    EXPECT_EQ(swept.schedules, 7U); // uncancelled, before it began, and at each of five waits
    EXPECT_EQ(begun, 6U);
    EXPECT_EQ(ended, 1U);
}

TEST(SweepCancel, FindsWhatACancellationLeavesBehind) {
    const auto body = []() -> coro<> {
        rondo::server server =
            co_await rondo::start_server([](rondo::stream_reader, rondo::stream_writer) {}, "127.0.0.1", 0);
        co_await rondo::test::leaky_dial(server.addresses().front());
    };
    const auto swept = rondo::sim::sweep_cancel({}, body);
    ASSERT_TRUE(swept.counter_example);
    EXPECT_EQ(swept.counter_example->kind, failure_kind::leak);
    ASSERT_EQ(swept.counter_example->deviations.size(), 1U);
    EXPECT_EQ(swept.counter_example->deviations[0].what.text(), "the main task is cancelled");
}

TEST(SweepCancel, ABodyThatEndsWithAnotherErrorFails) {
    const auto swept = rondo::sim::sweep_cancel({}, []() -> coro<> {
        try {
            co_await rondo::yield();
        } catch (const rondo::cancelled_error&) {
            throw std::runtime_error("lost");
        }
    });
    ASSERT_TRUE(swept.counter_example);
    EXPECT_EQ(swept.counter_example->kind, failure_kind::error);
}

TEST(SweepCancel, OpeningUsingAndClosingAConnectionLeavesNothing) {
    const auto swept = rondo::sim::sweep_cancel({}, []() -> coro<> {
        auto server = co_await rondo::start_server(
            [](rondo::stream_reader r, rondo::stream_writer w) -> coro<> {
                try {
                    while (auto line = co_await r.read_line()) co_await w.write(*line);
                } catch (const std::system_error&) { // the client has left
                }
            },
            "127.0.0.1", 0);
        auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
        co_await writer.write("hello\n");
        static_cast<void>(co_await reader.read_line());
        co_await rondo::sleep(1s);
        co_await writer.aclose();
        static_cast<void>(co_await server.shutdown(1s));
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
    EXPECT_GT(swept.schedules, 4U);
}

TEST(SweepCancel, GroupsLocksAndQueuesLeaveNothing) {
    const auto swept = rondo::sim::sweep_cancel({}, []() -> coro<> {
        rondo::lock lock("shared");
        rondo::queue<int> queue(1);
        co_await rondo::task_group::run([&](rondo::task_group& group) -> coro<> {
            static_cast<void>(group.create_task([&]() -> coro<> {
                for (int i = 0; i < 3; ++i) co_await queue.put(i);
                queue.shutdown();
            }));
            static_cast<void>(group.create_task([&]() -> coro<> {
                auto held = co_await lock.scoped_lock();
                co_await rondo::sleep(1s);
            }));
            while (co_await queue.next()) {
                auto held = co_await lock.scoped_lock();
            }
        });
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
}

TEST(SweepAlloc, LetsEachAllocationFailOnce) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    int failed = 0;
    int whole = 0;
    const auto swept = rondo::sim::sweep_alloc({}, [&]() -> coro<> {
        try {
            const auto one = std::make_unique<int>(1);
            co_await rondo::yield();
            const auto other = std::make_unique<int>(2);
            whole += *other - *one;
        } catch (const std::bad_alloc&) {
            ++failed;
        }
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
    EXPECT_EQ(failed, 2);
    EXPECT_EQ(whole, 2);            // the two plain runs
    EXPECT_GT(swept.schedules, 3U); // the frame and the task, too
}

TEST(SweepAlloc, FindsWhatAFailedAllocationLeavesBehind) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    const auto swept = rondo::sim::sweep_alloc({}, []() -> coro<> {
        rondo::detail::os& os = rondo::detail::loop_access::backend(rondo::running_loop()).os();
        const int fd = os.open_socket(AF_INET, SOCK_STREAM, 0);
        const std::string name(100, 'x');
        os.close(fd);
        co_return;
    });
    ASSERT_TRUE(swept.counter_example);
    EXPECT_EQ(swept.counter_example->kind, failure_kind::leak);
    ASSERT_EQ(swept.counter_example->deviations.size(), 1U);
    EXPECT_EQ(swept.counter_example->deviations[0].what.text(), "an allocation fails");
}

TEST(SweepAlloc, ABodyThatEndsWithAnErrorOfItsOwnFails) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    const auto swept = rondo::sim::sweep_alloc({}, []() -> coro<> {
        try {
            static_cast<void>(std::make_unique<int>(1));
        } catch (const std::bad_alloc&) {
            throw rondo::cancelled_error();
        }
        co_return;
    });
    ASSERT_TRUE(swept.counter_example);
    EXPECT_EQ(swept.counter_example->kind, failure_kind::error);
}

TEST(SweepErrno, LetsEveryStepFailWithEveryErrorItCanHave) {
    std::set<int> seen;
    const auto swept = rondo::sim::sweep_errno({}, [&]() -> coro<> {
        try {
            auto server = co_await rondo::start_server(
                [](rondo::stream_reader r, rondo::stream_writer w) -> coro<> {
                    while (auto line = co_await r.read_line()) co_await w.write(*line);
                },
                "127.0.0.1", 0);
            auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
            co_await writer.write("hello\n");
            static_cast<void>(co_await reader.read_line());
        } catch (const std::system_error& e) {
            seen.insert(e.code().value());
        }
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRINUSE, EACCES, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH,
                            EADDRNOTAVAIL, ECONNRESET})
        EXPECT_TRUE(seen.contains(error)) << std::generic_category().message(error);
}

TEST(SweepErrno, FindsWhatAnErrorLeavesBehind) {
    const auto swept = rondo::sim::sweep_errno({}, []() -> coro<> {
        rondo::server server =
            co_await rondo::start_server([](rondo::stream_reader, rondo::stream_writer) {}, "127.0.0.1", 0);
        co_await rondo::test::leaky_dial(server.addresses().front());
    });
    ASSERT_TRUE(swept.counter_example);
    EXPECT_EQ(swept.counter_example->kind, failure_kind::leak);
}

} // namespace
