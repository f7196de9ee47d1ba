#include <rondo/io/connect_pipe.hpp>
#include <rondo/io/open_connection.hpp>
#include <rondo/io/readiness.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/sync/event.hpp>
#include <rondo/sync/lock.hpp>
#include <rondo/sync/queue.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run_coroutine_threadsafe.hpp>
#include <rondo/task/run_in_executor.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/to_thread.hpp>
#include <rondo/task/wrap_future.hpp>

#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "sim/mutants/leaky_dial.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <coroutine>
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

TEST(SweepAlloc, CoversWhatAThreadAllocates) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    int failed_in_thread = 0;
    const auto swept = rondo::sim::sweep_alloc({}, [&]() -> coro<> {
        co_await rondo::to_thread([&] {
            try {
                static_cast<void>(std::make_unique<int>(1));
            } catch (const std::bad_alloc&) {
                ++failed_in_thread;
                throw;
            }
        });
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
    EXPECT_EQ(failed_in_thread, 1);
}

// They ended the process, or waited for ever.
TEST(SweepAlloc, WhatAThreadHasDoneComesBackWithoutMemory) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    const auto swept = rondo::sim::sweep_alloc({}, []() -> coro<> {
        bool called = false;
        const auto sum = co_await rondo::as_result(rondo::to_thread([&] {
            called = true;
            return 3;
        }));
        EXPECT_EQ(sum.has_value(), called);
        called = false;
        const auto other = co_await rondo::as_result(rondo::running_loop().run_in_executor(nullptr, [&] {
            called = true;
            return 4;
        }));
        EXPECT_EQ(other.has_value(), called);
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
}

TEST(SweepAlloc, AFutureThatAThreadSetsReachesItsMirrorWithoutMemory) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    const auto swept = rondo::sim::sweep_alloc({}, []() -> coro<> {
        rondo::concurrent_future<int> far;
        auto mirror = rondo::wrap_future(far);
        co_await rondo::to_thread([far]() mutable { far.set_result(4); });
        EXPECT_EQ(co_await mirror, 4);
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
}

TEST(SweepAlloc, ACancellationFromAThreadReachesItsTaskWithoutMemory) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    const auto swept = rondo::sim::sweep_alloc({}, []() -> coro<> {
        auto endless =
            rondo::run_coroutine_threadsafe(rondo::running_loop(), []() -> coro<> { co_await rondo::sleep_forever(); });
        struct at_end {
            rondo::concurrent_future<void>& of;
            ~at_end() { of.cancel(); }
        } cancelled{endless};
        co_await rondo::yield();
        co_await rondo::to_thread([endless]() mutable { endless.cancel(); });
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
}

/// What another library's awaiter does: it resumes in a thread of its own.
struct resumed_by_a_thread {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> gate) const {
        static_cast<void>(rondo::running_loop().run_in_executor(nullptr, [gate] { gate.resume(); }));
    }
    void await_resume() const noexcept {}
};

TEST(SweepAlloc, AForeignAwaiterGoesOnWithoutMemory) {
    if (!rondo::sim::can_sweep_alloc()) GTEST_SKIP() << "this program's operator new is not the simulator's";
    const auto swept = rondo::sim::sweep_alloc({}, []() -> coro<> { co_await resumed_by_a_thread(); });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
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

TEST(SweepErrno, PipesAndReadinessFailToo) {
    int not_ready = 0;
    int not_read = 0;
    const auto swept = rondo::sim::sweep_errno({}, [&]() -> coro<> {
        struct reader : rondo::protocol {
            explicit reader(int& n) : failed(n) {}
            void connection_lost(std::exception_ptr error) override {
                if (error) ++failed;
                over.set();
            }
            int& failed;
            rondo::event over;
        };
        rondo::event_loop& loop = rondo::running_loop();
        rondo::detail::os& os = rondo::detail::loop_access::backend(loop).os();
        std::pair<int, int> ends;
        if (os.make_pipe(0, ends) != 0) co_return;
        const auto ready = co_await rondo::as_result(loop.writable(ends.second));
        if (!ready) ++not_ready;
        os.close(ends.second);
        const auto made = std::make_shared<reader>(not_read);
        static_cast<void>(co_await loop.connect_read_pipe([&] { return made; }, ends.first));
        co_await made->over.wait();
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
    EXPECT_EQ(not_ready, 1);
    EXPECT_EQ(not_read, 1);
}

TEST(SweepErrno, AcceptingTellsOfTheNetworksErrors) {
    std::set<int> seen;
    const auto swept = rondo::sim::sweep_errno({}, [&]() -> coro<> {
        rondo::event_loop& loop = rondo::running_loop();
        rondo::detail::os& os = rondo::detail::loop_access::backend(loop).os();
        const rondo::detail::socket_address where(rondo::address("127.0.0.1", 80));
        const int listening = os.open_socket(AF_INET, SOCK_STREAM, 0);
        const int client = os.open_socket(AF_INET, SOCK_STREAM, 0);
        if (listening >= 0 && client >= 0 && os.bind(listening, where.get(), where.size) == 0 &&
            os.listen(listening, 1) == 0 &&
            co_await rondo::as_result(loop.sock_connect(client, rondo::address("127.0.0.1", 80)))) {
            try {
                os.close((co_await loop.sock_accept(listening)).first);
            } catch (const std::system_error& e) {
                seen.insert(e.code().value());
            }
        }
        for (const int fd : {listening, client}) {
            if (fd >= 0) os.close(fd);
        }
    });
    EXPECT_FALSE(swept.counter_example) << swept.counter_example->str();
    EXPECT_EQ(seen, (std::set{EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EPROTO, ENETDOWN}));
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
