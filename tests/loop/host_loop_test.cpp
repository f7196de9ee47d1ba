// poll_fd() and run_once(): a loop that lives inside another one, which polls a descriptor.
#include "support/blocked_thread.hpp"
#include "support/in_child.hpp"
#include "support/loop_test.hpp"

#include <rondo/io/readiness.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/to_thread.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;

/// Of the kernel: a descriptor that another loop polls.
class HostLoop : public test::loop_test {
protected:
    void SetUp() override {
        loop_test::SetUp();
        if (IsSkipped()) return;
        fd = loop().poll_fd();
        ASSERT_GE(fd, 0);
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()), 0);
        settle();
    }
    void TearDown() override {
        loop_test::TearDown();
        for (const int s : sockets) ::close(s);
    }
    bool has_work() const {
        ::pollfd p{.fd = fd, .events = POLLIN, .revents = 0};
        return ::poll(&p, 1, 0) == 1;
    }
    void wait_for_work() const {
        ::pollfd p{.fd = fd, .events = POLLIN, .revents = 0};
        while (::poll(&p, 1, -1) != 1) EXPECT_EQ(errno, EINTR);
    }
    /// What a host does until there is nothing to do. The number of passes.
    int settle() {
        int n = 0;
        for (; has_work() && n < 1000; ++n) loop().run_once(0s);
        EXPECT_LT(n, 1000) << "it is readable for ever";
        return n;
    }
    void send(int to) const { EXPECT_EQ(::write(to, "x", 1), 1); }
    /// The host loop: polls and runs passes until told otherwise. The number of passes.
    int host_until(const std::function<bool()>& enough) {
        int n = 0;
        for (; !enough(); ++n) {
            wait_for_work();
            loop().run_once(0s);
        }
        return n;
    }
    int fd = -1;
    std::array<int, 2> sockets{-1, -1};
};
RONDO_ON_EACH_BACKEND(HostLoop);

TEST_P(HostLoop, IsReadableAtFirstAndThenOnlyWithWork) {
    auto other = test::make_loop(GetParam());
    const int first = other->poll_fd();
    ::pollfd p{.fd = first, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&p, 1, 0), 1);
    other->run_once(0s);
    EXPECT_EQ(::poll(&p, 1, 0), 0);
    EXPECT_EQ(other->poll_fd(), first) << "the same at every call";
    EXPECT_EQ(::fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    other->close();
    EXPECT_EQ(other->poll_fd(), -1);
}

TEST_P(HostLoop, ACallbackOfTheHostIsWork) {
    std::string order;
    EXPECT_FALSE(has_work());
    loop().call_soon([&] {
        order.push_back('a');
        loop().call_soon([&] { order.push_back('b'); });
    });
    EXPECT_TRUE(has_work());
    loop().run_once(0s);
    EXPECT_EQ(order, "a");
    EXPECT_TRUE(has_work()) << "what a pass leaves for the next one is work";
    settle();
    EXPECT_EQ(order, "ab");
    EXPECT_FALSE(has_work());
}

TEST_P(HostLoop, ATaskOfTheHostIsWork) {
    bool ended = false;
    auto t = loop().create_task([&]() -> coro<> {
        co_await test::pass_by(3);
        ended = true;
    });
    settle();
    EXPECT_TRUE(ended);
    auto f = loop().create_future<int>();
    auto u = loop().create_task([&]() -> coro<int> { co_return co_await f; });
    settle();
    EXPECT_FALSE(has_work());
    f.set_result(3);
    EXPECT_TRUE(has_work()) << "the host has ended a wait";
    settle();
    EXPECT_EQ(u.result(), 3);
}

TEST_P(HostLoop, ADueTimerIsWork) {
    bool fired = false;
    const timer_handle h = loop().call_later(3ms, [&] { fired = true; });
    host_until([&] { return fired; });
    EXPECT_GE(loop().time(), h.when());
    settle();
    EXPECT_FALSE(has_work());
}

TEST_P(HostLoop, AnEarlierTimerOfTheHostCounts) {
    std::string order;
    loop().call_later(1h, [&] { order.push_back('c'); });
    settle();
    loop().call_later(4ms, [&] { order.push_back('b'); });
    loop().call_later(2ms, [&] { order.push_back('a'); });
    host_until([&] { return order.size() == 2; });
    EXPECT_EQ(order, "ab");
    loop().call_at(loop().time() - 1s, [&] { order.push_back('d'); });
    EXPECT_TRUE(has_work());
    settle();
    EXPECT_EQ(order, "abd");
}

TEST_P(HostLoop, ACancelledTimerIsWorkOnceAtMost) {
    timer_handle h = loop().call_later(1ms, [] { ADD_FAILURE(); });
    loop().run_once(0s);
    h.cancel();
    const time_point past_it = h.when() + 1ms;
    while (loop().time() < past_it) loop().run_once(0s);
    EXPECT_LE(settle(), 1);
}

TEST_P(HostLoop, ArrivingIoIsWork) {
    std::string got;
    auto t = loop().create_task([&]() -> coro<> {
        for (int i = 0; i < 3; ++i) {
            char c = 0;
            while (::read(sockets[0], &c, 1) < 0) co_await loop().readable(sockets[0]);
            got.push_back(c);
        }
    });
    settle();
    for (std::size_t i = 1; i <= 3; ++i) {
        EXPECT_FALSE(has_work());
        send(sockets[1]);
        wait_for_work();
        settle();
        EXPECT_EQ(got.size(), i);
    }
    EXPECT_TRUE(t.done());
}

TEST_P(HostLoop, WakesAHostThatSleeps) {
    int calls = 0;
    loop().add_reader(sockets[0], [&] {
        char c = 0;
        EXPECT_EQ(::read(sockets[0], &c, 1), 1);
        ++calls;
    });
    settle();
    const pid_t self = ::gettid();
    for (int i = 1; i <= 10; ++i) {
        std::jthread other([&] {
            test::wait_until_blocked(self);
            send(sockets[1]);
        });
        host_until([&] { return calls == i; });
        settle();
    }
    loop().remove_reader(sockets[0]);
}

TEST_P(HostLoop, AnEventfdThatTheProgramWatchesIsWorkEveryTime) {
    const int own = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int calls = 0;
    loop().add_reader(own, [&] {
        std::uint64_t count = 0;
        EXPECT_EQ(::read(own, &count, sizeof count), static_cast<ssize_t>(sizeof count));
        ++calls;
    });
    settle();
    const pid_t self = ::gettid();
    for (int i = 1; i <= 10; ++i) {
        std::jthread other([&] {
            test::wait_until_blocked(self);
            const std::uint64_t one = 1;
            EXPECT_EQ(::write(own, &one, sizeof one), static_cast<ssize_t>(sizeof one));
        });
        host_until([&] { return calls == i; });
        settle();
    }
    loop().remove_reader(own);
    settle();
    ::close(own);
}

TEST_P(HostLoop, WhatTheHostBeginsBetweenTwoPassesReachesTheKernel) {
    bool called = false;
    loop().add_reader(sockets[0], [&] {
        called = true;
        loop().remove_reader(sockets[0]);
    });
    settle();
    EXPECT_FALSE(has_work());
    send(sockets[1]);
    wait_for_work();
    settle();
    EXPECT_TRUE(called);
    EXPECT_FALSE(has_work());
}

TEST_P(HostLoop, ACallFromAnotherThreadIsWork) {
    for (int i = 0; i < 50; ++i) {
        bool called = false;
        std::jthread other([&] { loop().call_soon_threadsafe([&] { called = true; }); });
        host_until([&] { return called; }); // without work it would wait for ever
        other.join();
        settle();
    }
}

TEST_P(HostLoop, ASignalIsWork) {
    int calls = 0;
    loop().add_signal_handler(SIGUSR1, [&] { ++calls; });
    settle();
    for (int i = 1; i <= 3; ++i) {
        EXPECT_FALSE(has_work());
        ::raise(SIGUSR1);
        EXPECT_TRUE(has_work());
        settle();
        EXPECT_EQ(calls, i);
    }
}

TEST_P(HostLoop, AWholeProgramRunsInItWithoutSpinning) {
    bool ended = false;
    auto main = loop().create_task([&]() -> coro<> {
        const int a = co_await to_thread([] { return 1; });
        co_await sleep(2ms);
        auto reader = create_task([&]() -> coro<> {
            char c = 0;
            while (::read(sockets[0], &c, 1) < 0) co_await loop().readable(sockets[0]);
        });
        co_await sleep(2ms);
        send(sockets[1]);
        co_await reader;
        EXPECT_EQ(a, 1);
        ended = true;
    });
    EXPECT_LT(host_until([&] { return ended; }), 50);
}

TEST_P(HostLoop, MayRunForAWhileByItself) {
    bool fired = false;
    loop().call_later(1ms, [&] { fired = true; });
    EXPECT_EQ(loop().run_until_complete([]() -> coro<int> {
        co_await sleep(3ms);
        co_return 4;
    }()),
              4);
    EXPECT_TRUE(fired);
    settle();
    EXPECT_FALSE(has_work());
    loop().call_soon([] {});
    EXPECT_TRUE(has_work());
    settle();
}

TEST_P(HostLoop, MayBeAskedForInAPass) {
    auto other = test::make_loop(GetParam());
    int asked = -1;
    other->call_soon([&] { asked = other->poll_fd(); });
    other->run_once(0s);
    ASSERT_GE(asked, 0);
    ::pollfd p{.fd = asked, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&p, 1, 0), 0);
    other->call_soon([] {});
    EXPECT_EQ(::poll(&p, 1, 0), 1);
    other->close();
}

TEST_P(HostLoop, AHostMayUseEpoll) {
    const int hosts = ::epoll_create1(EPOLL_CLOEXEC);
    ::epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ASSERT_EQ(::epoll_ctl(hosts, EPOLL_CTL_ADD, fd, &event), 0);
    bool ended = false;
    auto main = loop().create_task([&]() -> coro<> {
        for (int i = 0; i < 3; ++i) {
            co_await sleep(1ms);
            EXPECT_EQ(co_await to_thread([] { return 5; }), 5);
        }
        ended = true;
    });
    while (!ended) {
        ::epoll_event got{};
        if (::epoll_wait(hosts, &got, 1, -1) == 1) loop().run_once(0s);
    }
    ::close(hosts);
}

TEST_P(HostLoop, TheHostMayWaitInRunOnce) {
    bool called = false;
    loop().call_later(1ms, [&] { called = true; });
    while (!called) loop().run_once(no_timeout);
    settle();
    EXPECT_FALSE(has_work());
}

TEST_P(HostLoop, SurvivesTheEndOfAThreadThatRanIt) {
    bool called = false;
    std::thread([&] {
        loop().add_reader(sockets[0], [&] {
            called = true;
            loop().remove_reader(sockets[0]);
        });
        loop().run_once(0s);
    }).join();
    settle();
    send(sockets[1]);
    wait_for_work();
    settle();
    EXPECT_TRUE(called);
}

TEST_P(HostLoop, AForkedChildHasNoneAndWakesNobody) {
    EXPECT_EQ(test::in_child([&] {
                  const bool none = loop().poll_fd() == -1;
                  destroy_loop();
                  return none;
              }),
              0);
    EXPECT_FALSE(has_work());
    loop().call_soon([] {});
    EXPECT_TRUE(has_work());
    settle();
}

TEST_P(HostLoop, WithoutDescriptorsThereIsNone) {
    auto other = test::make_loop(GetParam());
    other->run_once(0s);
    ::rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const ::rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_EQ(other->poll_fd(), -1);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_GE(other->poll_fd(), 0) << "it may be asked for again";
    other->close();
}

} // namespace
} // namespace rondo
