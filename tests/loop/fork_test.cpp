// A loop and fork(2): the child's use of it throws, the parent's is unharmed, and the child may make its own.
#include "support/in_child.hpp"
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/loop/executor.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/run_in_executor.hpp>
#include <rondo/task/to_thread.hpp>

#include "loop/backend/backend.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::in_child;

/// Of the kernel: fork().
class Fork : public test::loop_test {
protected:
    template <class F> static bool refuses(F&& use) {
        try {
            std::forward<F>(use)();
        } catch (const runtime_error& e) {
            return std::string(e.what()).find("parent process") != std::string::npos;
        }
        return false;
    }
    /// What a program does with a new loop: callbacks, timers, tasks, other threads' calls.
    static bool a_new_loop_works(backend_kind kind) {
        auto fresh = test::make_loop(kind);
        int got = fresh->run_until_complete([&]() -> coro<int> {
            event_loop& here = running_loop();
            auto f = here.create_future<int>();
            here.call_later(1ms, [f]() mutable { f.set_result(20); });
            const int a = co_await f;
            co_await sleep(1ms);
            co_return a + co_await create_task([]() -> coro<int> { co_return 1; });
        }());
        fresh->call_soon_threadsafe([&] { ++got; });
        fresh->run_once(0s);
        fresh->close();
        return got == 22;
    }
};
RONDO_ON_EACH_BACKEND(Fork);

coro<int> one() { co_return 1; }

TEST_P(Fork, EveryUseInTheChildThrows) {
    future<int> f = loop().create_future<int>();
    EXPECT_EQ(in_child([&] {
                  event_loop& parents = loop();
                  return refuses([&] { parents.run_forever(); }) && refuses([&] { parents.run_once(0s); }) &&
                         refuses([&] { parents.run_until_complete(one()); }) &&
                         refuses([&] { parents.run_until_complete(f); }) &&
                         refuses([&] { parents.call_soon([] {}); }) &&
                         refuses([&] { parents.call_later(0s, [] {}); }) &&
                         refuses([&] { parents.call_at(time_point{}, [] {}); }) &&
                         refuses([&] { parents.call_soon_threadsafe([] {}); }) &&
                         refuses([&] { static_cast<void>(parents.create_task(one)); }) &&
                         refuses([&] { static_cast<void>(parents.create_future<int>()); }) &&
                         refuses([&] { parents.default_executor(); }) &&
                         refuses([&] { static_cast<void>(parents.run_in_executor(nullptr, [] {})); }) &&
                         refuses([&] { parents.add_signal_handler(SIGUSR1, [] {}); }) &&
                         refuses([&] { parents.close(); });
              }),
              0);
    EXPECT_EQ(run(one()), 1);
}

TEST_P(Fork, NothingOfTheParentsRunsInTheChild) {
    int calls = 0;
    loop().call_soon([&] { ++calls; });
    loop().call_later(-1s, [&] { ++calls; });
    EXPECT_EQ(in_child([&] {
                  refuses([&] { loop().run_once(0s); });
                  destroy_loop();
                  return calls == 0;
              }),
              0);
    run_passes(1);
    EXPECT_EQ(calls, 2);
}

TEST_P(Fork, TheChildMayMakeItsOwnLoop) {
    loop().call_later(1h, [] {});
    run_passes(1);
    EXPECT_EQ(in_child([&] { return a_new_loop_works(GetParam()); }), 0);
    EXPECT_EQ(in_child([&] { return a_new_loop_works(backend_kind::automatic); }), 0);
}

TEST_P(Fork, AChildThatIsForkedInACallbackLeavesTheLoopWhenItReturns) {
    int status = -1;
    bool in_the_child = false;
    int later = 0;
    const auto fork_now = [&] {
        const pid_t child = ::fork();
        if (child == 0) {
            in_the_child = true;
            const bool out_of_it = running_loop_or_null() == nullptr && a_new_loop_works(GetParam());
            if (!out_of_it) ::_exit(3);
            return; // to the pass that the parent began
        }
        EXPECT_EQ(::waitpid(child, &status, 0), child);
    };
    try {
        loop().call_soon(fork_now);
        loop().call_soon([&] { ++later; });
        loop().call_later(1ms, [&] { loop().stop(); });
        loop().run_forever();
    } catch (const runtime_error&) {
        if (in_the_child) ::_exit(later == 0 ? 0 : 4);
        throw;
    }
    if (in_the_child) ::_exit(5);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(later, 1);
}

/// A receive operation on a socket pair.
struct receive : detail::operation {
    receive() noexcept : operation(detail::operation_kind::recv, [](operation&) noexcept {}) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
        fd = ends[0];
        buffer = bytes.data();
        size = bytes.size();
    }
    ~receive() {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    std::array<int, 2> ends{};
    std::array<char, 8> bytes{};
};

TEST_P(Fork, TheParentsTimersAndIoGoOn) {
    receive in_kernel;
    receive not_yet;
    detail::backend& backend = detail::loop_access::backend(loop());
    EXPECT_FALSE(backend.submit(in_kernel));
    run_passes(1);
    EXPECT_FALSE(backend.submit(not_yet));
    std::string order;
    const time_point soon = loop().time() + 2ms;
    loop().call_at(soon, [&] { order.push_back('a'); });
    loop().call_at(soon, [&] { order.push_back('b'); });
    for (const bool destroys_it : {true, false}) {
        EXPECT_EQ(in_child([&] {
                      if (destroys_it) destroy_loop();
                      return a_new_loop_works(GetParam());
                  }),
                  0);
    }
    EXPECT_EQ(::write(in_kernel.ends[1], "one", 3), 3);
    EXPECT_EQ(::write(not_yet.ends[1], "four", 4), 4);
    while (order.size() < 2 || in_kernel.pending() || not_yet.pending()) loop().run_once(no_timeout);
    EXPECT_EQ(order, "ab");
    EXPECT_EQ(in_kernel.result, 3);
    EXPECT_EQ(not_yet.result, 4);
}

TEST_P(Fork, TheParentsThreadsGoOn) {
    run([&]() -> coro<> {
        EXPECT_EQ(co_await to_thread([] { return 1; }), 1); // the pool has a thread now
    });
    EXPECT_EQ(in_child([&] {
                  destroy_loop();
                  return true;
              }),
              0);
    run([&]() -> coro<> {
        EXPECT_EQ(co_await to_thread([] { return 2; }), 2);
        EXPECT_EQ(co_await loop().run_in_executor(nullptr, [] { return 3; }), 3);
    });
}

TEST_P(Fork, AChildDoesNotWakeItsParent) {
    const int fd = loop().poll_fd();
    run_passes(1);
    EXPECT_EQ(in_child([&] {
                  refuses([&] { loop().call_soon_threadsafe([] {}); });
                  destroy_loop();
                  return true;
              }),
              0);
    ::pollfd p{.fd = fd, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&p, 1, 0), 0);
}

TEST_P(Fork, AChildHasNoWatchdogOfItsParents) {
    loop().set_watchdog(true);
    EXPECT_EQ(in_child([&] {
                  destroy_loop();
                  return a_new_loop_works(GetParam());
              }),
              0);
    EXPECT_TRUE(loop().watchdog());
}

TEST_P(Fork, TheChildsFramesAreDestroyedByNobody) {
    // The parent's tasks own what the parent's world still uses: a file that a destructor would delete, say.
    int destroyed = 0;
    auto t = loop().create_task([&]() -> coro<> {
        const test::at_exit tell([&] { ++destroyed; });
        co_await sleep_forever();
    });
    run_passes(2);
    EXPECT_EQ(in_child([&] {
                  destroy_loop();
                  return destroyed == 0;
              }),
              0);
    t.cancel();
    run_passes(2);
    EXPECT_EQ(destroyed, 1);
}

TEST_P(Fork, WhileOtherThreadsUseTheirLoops) {
    std::atomic<bool> stop{false};
    std::vector<std::jthread> others;
    for (int t = 0; t < 3; ++t) {
        others.emplace_back([&] {
            while (!stop) {
                auto own = test::make_loop(GetParam());
                int calls = 0;
                for (int i = 0; i < 10; ++i) own->call_soon_threadsafe([&] { ++calls; });
                own->run_once(0s);
                EXPECT_EQ(calls, 10);
                own->close();
            }
        });
    }
    for (int i = 0; i < 10; ++i) EXPECT_EQ(in_child([&] { return a_new_loop_works(GetParam()); }), 0);
    stop = true;
    others.clear();
    EXPECT_EQ(run(one()), 1);
}

TEST_P(Fork, AGrandchildIsAChildToo) {
    EXPECT_EQ(in_child([&] {
                  auto childs = test::make_loop(GetParam());
                  const int grandchild = in_child([&] {
                      return refuses([&] { childs->run_once(0s); }) && refuses([&] { loop().run_once(0s); }) &&
                             a_new_loop_works(GetParam());
                  });
                  return grandchild == 0 && childs->run_until_complete(one()) == 1;
              }),
              0);
}

} // namespace
} // namespace rondo
