// Waiting: deadlines, wake-ups, threads and forks.
#include "loop/backend_fixture.hpp"
#include "support/blocked_thread.hpp"
#include "support/in_child.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <future>
#include <set>
#include <thread>

namespace rondo::detail {
namespace {

using namespace testing_support;

class BackendWait : public EachBackend {};

TEST_P(BackendWait, SleepsUntilItsDeadline) {
    for (const duration span : {duration(0), duration(1), duration(200us), duration(2ms)}) {
        const time_point until = io->now() + span;
        int waits = 0; // a signal, or the kernel's own work in this thread, may end one
        for (; io->now() < until; ++waits) io->wait(until);
        EXPECT_LT(waits, 100);
    }
}

TEST_P(BackendWait, DoesNotWaitForTheDistantPast) {
    for (int i = 0; i < 1000; ++i) io->wait(time_point::min());
}

TEST_P(BackendWait, TheClockIsSteadyClock) {
    const time_point before = std::chrono::steady_clock::now();
    const time_point now = io->now();
    EXPECT_LE(before, now);
    EXPECT_LE(now, time_point(std::chrono::steady_clock::now()));
    EXPECT_LT(std::chrono::abs(io->wall_now() - std::chrono::system_clock::now()), 1h);
}

TEST_P(BackendWait, RandomNumbersDiffer) {
    auto other = make(GetParam());
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(io->random());
        seen.insert(other->random());
    }
    EXPECT_EQ(seen.size(), 2000u);
}

TEST_P(BackendWait, AWakeUpBeforeTheWaitEndsIt) {
    for (int i = 0; i < 3; ++i) {
        io->wake();
        io->wait(time_point::max());
    }
    io->wake();
    io->wake(); // two are as good as one
    io->wait(time_point::max());
}

TEST_P(BackendWait, AnotherThreadWakesIt) {
    std::atomic<int> asked = 0;
    std::atomic<bool> stop = false;
    std::thread waker([&] {
        int answered = 0;
        while (!stop) {
            if (asked > answered) {
                ++answered;
                io->wake();
            } else {
                std::this_thread::yield();
            }
        }
    });
    for (int i = 0; i < 1000; ++i) {
        ++asked;
        io->wait(time_point::max());
    }
    stop = true;
    waker.join();
}

TEST_P(BackendWait, ASignalHandlerWakesIt) {
    static backend* target = nullptr;
    target = io.get();
    struct sigaction action{};
    action.sa_handler = [](int) { target->wake(); };
    struct sigaction before{};
    ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(::raise(SIGUSR1), 0);
        io->wait(time_point::max());
    }
    // While it sleeps: the deadline is far away.
    const pthread_t self = ::pthread_self();
    std::thread sender([self] { ::pthread_kill(self, SIGUSR1); });
    io->wait(io->now() + 1h);
    sender.join();
    ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_P(BackendWait, ItsDescriptorTellsThatThereIsWork) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    pollfd p{.fd = io->poll_fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&p, 1, 0), 1) << "at first";
    io->wait(time_point::min());
    io->announce(time_point::max());
    EXPECT_EQ(::poll(&p, 1, 0), 0);
    ASSERT_FALSE(io->submit(recv));
    EXPECT_EQ(::poll(&p, 1, 0), 1) << "the kernel does not know of it yet";
    io->wait(time_point::min());
    io->announce(time_point::max());
    EXPECT_EQ(::poll(&p, 1, 0), 0);
    write_all(b.fd, "x");
    EXPECT_EQ(::poll(&p, 1, -1), 1);
    io->wait(time_point::min());
    EXPECT_FALSE(recv.pending());
    io->announce(time_point::max());
    EXPECT_EQ(::poll(&p, 1, 0), 0);
    EXPECT_EQ(io->poll_fd(), p.fd);
}

TEST_P(BackendWait, ItsDescriptorWakesAHostThatSleeps) {
    auto [a, b] = stream_pair();
    const int theirs = b.fd;
    pollfd p{.fd = io->poll_fd(), .events = POLLIN, .revents = 0};
    const pid_t self = ::gettid();
    for (int i = 0; i < 20; ++i) {
        std::array<char, 4> buffer{};
        probe_operation recv;
        set_recv(recv, a.fd, buffer);
        ASSERT_FALSE(io->submit(recv));
        io->wait(time_point::min());
        io->announce(time_point::max());
        std::thread other([&] {
            test::wait_until_blocked(self);
            if (i % 2) io->wake();
            write_all(theirs, "x");
        });
        while (recv.pending()) {
            if (::poll(&p, 1, -1) != 1) continue; // EINTR: the kernel's own work in this thread
            io->wait(time_point::min());
            io->announce(time_point::max());
        }
        other.join();
        io->wait(time_point::min());
    }
}

TEST_P(BackendWait, ItsDescriptorTellsThatATimeHasCome) {
    pollfd p{.fd = io->poll_fd(), .events = POLLIN, .revents = 0};
    for (int i = 0; i < 3; ++i) {
        const time_point soon = io->now() + 1ms;
        io->announce(soon);
        EXPECT_EQ(::poll(&p, 1, -1), 1);
        EXPECT_GE(io->now(), soon);
        io->announce(io->now() + 1h);
        EXPECT_EQ(::poll(&p, 1, 0), 0);
    }
    io->announce(time_point::min());
    EXPECT_EQ(::poll(&p, 1, 0), 1);
}

TEST_P(BackendWait, ItsDescriptorTellsOfAWakeUpAndOfACancellation) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    ASSERT_FALSE(io->submit(recv));
    pollfd p{.fd = io->poll_fd(), .events = POLLIN, .revents = 0};
    for (int i = 0; i < 3; ++i) {
        io->wait(time_point::min());
        io->announce(time_point::max());
        EXPECT_EQ(::poll(&p, 1, 0), 0);
        io->wake();
        EXPECT_EQ(::poll(&p, 1, 0), 1);
    }
    io->wait(time_point::min());
    io->announce(time_point::max());
    io->cancel(recv);
    EXPECT_EQ(::poll(&p, 1, 0), 1);
    while (recv.pending()) io->wait(time_point::min());
    EXPECT_EQ(recv.result, -ECANCELED);
}

TEST_P(BackendWait, MayBeMadeInOneThreadAndUsedInAnother) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    ASSERT_FALSE(io->submit(recv)); // what is submitted before the first wait belongs to the thread that waits
    write_all(b.fd, "x");
    std::thread([&] {
        settle(recv);
        EXPECT_EQ(recv.result, 1);
        EXPECT_EQ(run_send(a.fd, "answer"), 6);
        io->drain();
    }).join();
    EXPECT_EQ(::read(b.fd, buffer.data(), buffer.size()), 4);
}

TEST_P(BackendWait, AnotherThreadGoesOnWhereOneHasEnded) {
    auto [a, b] = stream_pair();
    auto [c, d] = stream_pair();
    std::array<std::array<char, 4>, 3> buffers{};
    std::array<probe_operation, 3> readers;
    set_recv(readers[0], a.fd, buffers[0]);
    set_recv(readers[1], c.fd, buffers[1]);
    set_recv(readers[2], c.fd, buffers[2]);
    const int writing = d.fd;
    std::thread([&] {
        ASSERT_FALSE(io->submit(readers[0]));
        ASSERT_FALSE(io->submit(readers[1]));
        io->wait(io->now() + 1ms);            // both wait in the kernel now
        write_all(writing, "early");          // done, not fetched
        ASSERT_FALSE(io->submit(readers[2])); // not in the kernel yet
    }).join();
    settle(readers[1]);
    settle(readers[2]);
    EXPECT_EQ(readers[1].result + readers[2].result, 5);
    poll_a_few_times();
    EXPECT_TRUE(readers[0].pending()) << "the end of a thread is not a cancellation";
    io->wake();
    io->wait(time_point::max());
    write_all(b.fd, "late");
    settle(readers[0]);
    EXPECT_EQ(readers[0].result, 4);
    for (const probe_operation& reader : readers) EXPECT_EQ(reader.completions, 1);
}

TEST_P(BackendWait, ALivingThreadMayHandItOverWhenNothingIsInFlight) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    io->wait(time_point::min());
    std::thread([&] {
        write_all(b.fd, "x");
        EXPECT_EQ(run_recv(a.fd, buffer), 1);
    }).join();
    write_all(b.fd, "yz");
    EXPECT_EQ(run_recv(a.fd, buffer), 2);
}

TEST_P(BackendWait, AForkedChildLetsGoAndTheParentGoesOn) {
    auto [a, b] = stream_pair();
    const auto [listening, address] = listener();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    ASSERT_FALSE(io->submit(recv));
    poll_a_few_times();
    probe_operation later(operation_kind::accept, listening);
    later.address = nullptr;
    ASSERT_FALSE(io->submit(later)); // not told to the kernel yet
    const int child = test::in_child([&] {
        io->abandon();
        if (recv.pending() || later.pending()) return false;
        io->os().close(listening);
        io.reset();
        // And a new one works.
        auto fresh = make(GetParam());
        auto [c, d] = stream_pair();
        std::array<char, 4> own{};
        probe_operation op;
        set_recv(op, c.fd, own);
        if (fresh->submit(op)) return false;
        write_all(d.fd, "in");
        while (op.pending()) fresh->wait(time_point::max());
        return op.result == 2;
    });
    EXPECT_EQ(child, 0);
    EXPECT_TRUE(recv.pending());
    write_all(b.fd, "out");
    settle(recv);
    EXPECT_EQ(recv.result, 3);
    EXPECT_EQ(recv.completions, 1);
    descriptor client(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in to = address;
    ASSERT_EQ(::connect(client.fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    settle(later);
    ASSERT_GE(later.result, 0);
    io->os().close(static_cast<int>(later.result));
    io->os().close(listening);
    io->wake();
    io->wait(time_point::max());
}

TEST_P(BackendWait, AForkedChildDoesNotWakeItsParent) {
    pollfd p{.fd = io->poll_fd(), .events = POLLIN, .revents = 0};
    io->wait(time_point::min());
    EXPECT_EQ(test::in_child([&] {
                  io->abandon();
                  io->wake();
                  io.reset();
                  return true;
              }),
              0);
    io->announce(time_point::max());
    EXPECT_EQ(::poll(&p, 1, 0), 0);
}

RONDO_FOR_EACH_BACKEND(BackendWait);

class BackendWaitDeathTest : public EachBackend {};

TEST_P(BackendWaitDeathTest, OperationsOfALivingThreadCannotBeFetchedByAnother) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto hand_over = [&] {
        auto [a, b] = stream_pair();
        std::vector<char> buffer(4);
        probe_operation recv;
        set_recv(recv, a.fd, buffer);
        io->submit(recv);
        io->wait(time_point::min());
        std::thread([&] { io->wait(time_point::max()); }).join();
    };
    EXPECT_DEATH(hand_over(),
                 "rondo: an event loop cannot go on: it was handed to another thread while operations were in flight");
}

// epoll does not tie operations to threads, nor does io_uring without SINGLE_ISSUER.
INSTANTIATE_TEST_SUITE_P(On, BackendWaitDeathTest, testing::Values(flavour::uring, flavour::uring_6_0), flavour_name);

} // namespace
} // namespace rondo::detail
