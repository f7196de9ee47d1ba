// signal_receiver, beside other receivers and the loop's handler.
#include "io/io_test.hpp"

#include <csignal>

namespace rondo {
namespace {

using test::pass_by;

/// Of the kernel: signals.
class SignalReceiver : public test::io_test {};
RONDO_ON_EACH_BACKEND(SignalReceiver);

TEST_P(SignalReceiver, SeveralReceiversOfOneSignalAllGetIt) {
    run_io([this]() -> coro<> {
        int handled = 0;
        loop().add_signal_handler(SIGUSR1, [&] { ++handled; });
        signal_receiver a({SIGUSR1, SIGUSR2});
        signal_receiver b({SIGUSR1});
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await a.next(), SIGUSR1);
        EXPECT_EQ(co_await b.next(), SIGUSR1);
        while (handled == 0) co_await yield();
        EXPECT_TRUE(loop().remove_signal_handler(SIGUSR1));
        ::raise(SIGUSR1); // the receivers go on without the handler
        EXPECT_EQ(co_await a.next(), SIGUSR1);
        EXPECT_EQ(handled, 1);
    });
}

TEST_P(SignalReceiver, WakesATaskThatWaits) {
    run_io([]() -> coro<> {
        signal_receiver s({SIGUSR1});
        auto t = create_task([&]() -> coro<std::optional<int>> { co_return co_await s.next(); });
        co_await pass_by(5);
        EXPECT_FALSE(t.done());
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await t, SIGUSR1);
    });
}

TEST_P(SignalReceiver, ArrivalsThatNobodyTookAreOne) {
    run_io([]() -> coro<> {
        signal_receiver s({SIGUSR1, SIGUSR2});
        ::raise(SIGUSR1);
        co_await pass_by(70);
        ::raise(SIGUSR2);
        co_await pass_by(70);
        ::raise(SIGUSR1);
        co_await pass_by(70);
        EXPECT_EQ(co_await s.next(), SIGUSR1);
        EXPECT_EQ(co_await s.next(), SIGUSR2);
        auto more = create_task([&]() -> coro<std::optional<int>> { co_return co_await s.next(); });
        co_await pass_by(70);
        EXPECT_FALSE(more.done());
        more.cancel();
        EXPECT_TRUE((co_await as_result(std::move(more))).cancelled());
    });
}

TEST_P(SignalReceiver, EachArrivalGoesToOneOfTheTasksThatShareAReceiver) {
    run_io([]() -> coro<> {
        signal_receiver s({SIGUSR1});
        auto next = [&]() -> coro<std::optional<int>> { co_return co_await s.next(); };
        auto first = create_task(std::ref(next));
        auto second = create_task(std::ref(next));
        co_await pass_by(2);
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await first, SIGUSR1);
        EXPECT_FALSE(second.done());
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await second, SIGUSR1);
    });
}

TEST_P(SignalReceiver, MovesAndOneThatIsAssignedToCloses) {
    run_io([]() -> coro<> {
        signal_receiver a({SIGUSR1});
        signal_receiver b = std::move(a);
        ::raise(SIGUSR1);
        EXPECT_EQ(co_await b.next(), SIGUSR1);
        EXPECT_EQ(co_await a.next(), std::nullopt);
        b = signal_receiver({SIGUSR2}); // SIGUSR1 would end the process now
        ::raise(SIGUSR2);
        EXPECT_EQ(co_await b.next(), SIGUSR2);
    });
}

TEST_P(SignalReceiver, CloseEndsTheStreamAndBringsTheActionBack) {
    struct sigaction before{};
    struct sigaction after{};
    ::sigaction(SIGUSR2, nullptr, &before);
    run_io([]() -> coro<> {
        signal_receiver s({SIGUSR2});
        auto t = create_task([&]() -> coro<std::optional<int>> { co_return co_await s.next(); });
        co_await pass_by(5);
        s.close();
        s.close();
        EXPECT_EQ(co_await t, std::nullopt);
        EXPECT_EQ(co_await s.next(), std::nullopt);
    });
    ::sigaction(SIGUSR2, nullptr, &after);
    EXPECT_EQ(before.sa_handler, after.sa_handler);
}

TEST_P(SignalReceiver, ASignalGivenToACancelledTaskIsNotLost) {
    run_io([]() -> coro<> {
        signal_receiver s({SIGUSR1});
        for (int round = 0; round < 100; ++round) {
            auto t = create_task([&]() -> coro<std::optional<int>> { co_return co_await s.next(); });
            co_await pass_by(2);
            ::raise(SIGUSR1);
            co_await pass_by(round % 3);
            t.cancel();
            auto r = co_await as_result(std::move(t));
            EXPECT_EQ(r ? *r : co_await s.next(), SIGUSR1);
        }
    });
}

TEST_P(SignalReceiver, RefusesWhatIsNoSignalAndWhatCannotBeCaught) {
    run_io([]() -> coro<> {
        EXPECT_THROW(signal_receiver({0}), value_error);
        EXPECT_THROW(signal_receiver({SIGUSR1, 1000}), value_error);
        EXPECT_THROW(signal_receiver({SIGKILL}), runtime_error);
        co_return;
    });
    EXPECT_THROW(signal_receiver({SIGUSR1}), runtime_error); // no loop
}

} // namespace
} // namespace rondo
