// add_signal_handler() and remove_signal_handler(): signals as callbacks of the loop.
#include "support/blocked_thread.hpp"
#include "support/in_child.hpp"
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <source_location>
#include <string>
#include <thread>

#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::in_child;
using test::tracked;

using action_function = void (*)(int);

action_function action_of(int signal) {
    struct sigaction now{};
    EXPECT_EQ(::sigaction(signal, nullptr, &now), 0);
    return now.sa_handler;
}

/// Of the kernel: signals.
class Signals : public test::loop_test {
protected:
    void TearDown() override {
        loop_test::TearDown();
        for (const int signal : {SIGUSR1, SIGUSR2}) EXPECT_EQ(action_of(signal), SIG_DFL) << "signal " << signal;
    }
    auto note(char mark) {
        return [this, mark] { order.push_back(mark); };
    }
    std::string order;
};
RONDO_ON_EACH_BACKEND(Signals);

TEST_P(Signals, AHandlerRunsInTheLoopAndNotInTheMiddleOfTheProgram) {
    loop().add_signal_handler(SIGUSR1, [this] {
        EXPECT_EQ(running_loop_or_null(), &loop());
        order.push_back('b');
    });
    loop().call_soon([this] {
        ::raise(SIGUSR1);
        order.push_back('a');
    });
    run_passes(2);
    EXPECT_EQ(order, "ab");
}

TEST_P(Signals, ASignalFromBeforeTheLoopRunsIsNotLost) {
    loop().add_signal_handler(SIGUSR1, [this] { loop().stop(); });
    ::kill(::getpid(), SIGUSR1);
    loop().run_forever();
}

TEST_P(Signals, WakesALoopThatSleeps) {
    const pid_t self = ::gettid();
    std::atomic<int> calls{0};
    loop().add_signal_handler(SIGUSR1, [&] {
        if (++calls == 20) loop().stop();
    });
    std::jthread other([&] {
        for (int i = 1; i <= 20; ++i) {
            test::wait_until_blocked(self);
            ::tgkill(::getpid(), self, SIGUSR1); // the thread that sleeps is the one that gets it
            while (calls != i) std::this_thread::yield();
        }
    });
    loop().run_forever();
    EXPECT_EQ(calls.load(), 20);
}

TEST_P(Signals, WakesALoopThatSleepsInAnotherThreadThanTheOneThatIsInterrupted) {
    loop().add_signal_handler(SIGUSR1, [this] { loop().stop(); });
    std::atomic<pid_t> looping{0};
    std::jthread runs([&] {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
        looping = ::gettid();
        loop().run_forever();
    });
    while (looping == 0) std::this_thread::yield();
    test::wait_until_blocked(looping);
    ::kill(::getpid(), SIGUSR1);
    runs.join();
}

TEST_P(Signals, SeveralArrivalsBeforeTheLoopComesRoundAreOneCall) {
    loop().add_signal_handler(SIGUSR1, note('a'));
    for (int i = 0; i < 5; ++i) ::raise(SIGUSR1);
    run_passes(2);
    EXPECT_EQ(order, "a");
    ::raise(SIGUSR1);
    run_passes(2);
    EXPECT_EQ(order, "aa");
}

TEST_P(Signals, EachSignalHasItsHandler) {
    loop().add_signal_handler(SIGUSR1, note('1'));
    loop().add_signal_handler(SIGUSR2, note('2'));
    ::raise(SIGUSR2);
    run_passes(2);
    EXPECT_EQ(order, "2");
    ::raise(SIGUSR1);
    run_passes(2);
    EXPECT_EQ(order, "21");
}

TEST_P(Signals, ASecondHandlerReplacesTheFirst) {
    int living = 0;
    loop().add_signal_handler(SIGUSR1, [t = tracked(living)] { ADD_FAILURE(); });
    loop().add_signal_handler(SIGUSR1, note('b'));
    EXPECT_EQ(living, 0);
    ::raise(SIGUSR1);
    run_passes(2);
    EXPECT_EQ(order, "b");
    EXPECT_TRUE(loop().remove_signal_handler(SIGUSR1));
    EXPECT_FALSE(loop().remove_signal_handler(SIGUSR1));
}

TEST_P(Signals, RemovingTellsWhetherThereWasOneAndBringsTheActionBack) {
    EXPECT_FALSE(loop().remove_signal_handler(SIGUSR1));
    loop().add_signal_handler(SIGUSR1, [] {});
    EXPECT_NE(action_of(SIGUSR1), SIG_DFL);
    EXPECT_TRUE(loop().remove_signal_handler(SIGUSR1));
    EXPECT_EQ(action_of(SIGUSR1), SIG_DFL);

    static int by_the_program = 0;
    by_the_program = 0;
    const action_function own = [](int) { ++by_the_program; };
    ::signal(SIGUSR1, own);
    loop().add_signal_handler(SIGUSR1, note('a'));
    ::raise(SIGUSR1);
    EXPECT_EQ(by_the_program, 0) << "meanwhile the program's own action does not happen";
    run_passes(2);
    EXPECT_TRUE(loop().remove_signal_handler(SIGUSR1));
    EXPECT_EQ(action_of(SIGUSR1), own);
    ::raise(SIGUSR1);
    EXPECT_EQ(by_the_program, 1);
    EXPECT_EQ(order, "a");
    ::signal(SIGUSR1, SIG_DFL);
}

TEST_P(Signals, OneThatArrivedBeforeItsHandlerWasRemovedIsNotDelivered) {
    loop().add_signal_handler(SIGUSR1, [] { ADD_FAILURE(); });
    ::raise(SIGUSR1);
    EXPECT_TRUE(loop().remove_signal_handler(SIGUSR1));
    run_passes(2);
    loop().add_signal_handler(SIGUSR1, note('b'));
    run_passes(2);
    EXPECT_EQ(order, "") << "nor to the next one";
    ::raise(SIGUSR1);
    run_passes(2);
    EXPECT_EQ(order, "b");
}

TEST_P(Signals, AHandlerMayRemoveAndReplaceItself) {
    int living = 0;
    loop().add_signal_handler(SIGUSR1, [this, &living, t = tracked(living)] {
        EXPECT_TRUE(loop().remove_signal_handler(SIGUSR1));
        EXPECT_EQ(living, 1) << "it lives while it runs";
        order.push_back('a');
        loop().add_signal_handler(SIGUSR1, note('b'));
    });
    ::raise(SIGUSR1);
    run_passes(2);
    EXPECT_EQ(living, 0);
    ::raise(SIGUSR1);
    run_passes(2);
    EXPECT_EQ(order, "ab");
}

TEST_P(Signals, ASignalThatDoesNotExistIsAValueError) {
    for (const int signal : {0, -1, NSIG, 1000}) {
        EXPECT_THROW(loop().add_signal_handler(signal, [] {}), value_error) << signal;
        EXPECT_THROW(loop().remove_signal_handler(signal), value_error) << signal;
    }
}

TEST_P(Signals, OneThatCannotBeCaughtIsARuntimeError) {
    for (const int signal : {SIGKILL, SIGSTOP}) {
        EXPECT_THROW(loop().add_signal_handler(signal, [] {}), runtime_error) << signal;
    }
    EXPECT_FALSE(loop().remove_signal_handler(SIGKILL));
}

TEST_P(Signals, OnlyTheMainThreadMayAddAHandler) {
    std::thread([&] { EXPECT_THROW(loop().add_signal_handler(SIGUSR1, [] {}), runtime_error); }).join();
    EXPECT_EQ(action_of(SIGUSR1), SIG_DFL);
}

TEST_P(Signals, RealTimeSignalsToo) {
    loop().add_signal_handler(SIGRTMAX, note('a'));
    ::raise(SIGRTMAX);
    run_passes(2);
    EXPECT_EQ(order, "a");
}

TEST_P(Signals, ClosingTheLoopRemovesItsHandlers) {
    int living = 0;
    loop().add_signal_handler(SIGUSR1, [t = tracked(living)] { ADD_FAILURE(); });
    ::raise(SIGUSR1);
    loop().close();
    EXPECT_EQ(living, 0);
    EXPECT_EQ(action_of(SIGUSR1), SIG_DFL);
}

TEST_P(Signals, TwoLoopsAreBothTold) {
    auto other = test::make_loop(GetParam());
    loop().add_signal_handler(SIGUSR1, note('a'));
    ::raise(SIGUSR1);
    other->add_signal_handler(SIGUSR1, note('b'));
    other->run_once(0s);
    EXPECT_EQ(order, "") << "what arrived before it listened is not its affair";
    run_passes(2);
    EXPECT_EQ(order, "a");
    ::raise(SIGUSR1);
    other->run_once(0s);
    run_passes(2);
    EXPECT_EQ(order, "aba");
    EXPECT_TRUE(loop().remove_signal_handler(SIGUSR1));
    EXPECT_NE(action_of(SIGUSR1), SIG_DFL) << "the other one still listens";
    ::raise(SIGUSR1);
    other->run_once(0s);
    EXPECT_EQ(order, "abab");
    other->close();
    EXPECT_EQ(action_of(SIGUSR1), SIG_DFL);
}

TEST_P(Signals, WhatAHandlerThrowsGoesToTheExceptionHandler) {
    const auto line = std::source_location::current().line() + 1;
    loop().add_signal_handler(SIGUSR1, [] { throw value_error("broken"); });
    ::raise(SIGUSR1);
    run_passes(2);
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].holds<value_error>());
    ASSERT_TRUE(told[0].created_at);
    EXPECT_EQ(told[0].created_at->line(), line) << "where the handler was added";
    loop().add_signal_handler(SIGUSR1, [] { throw keyboard_interrupt("^C"); });
    ::raise(SIGUSR1);
    EXPECT_THROW(loop().run_forever(), keyboard_interrupt);
}

TEST_P(Signals, AHandlerRunsInTheContextItWasAddedIn) {
    context_var<int> v("v", 0);
    context added_in;
    added_in.run([&] {
        v.assign(1);
        loop().add_signal_handler(SIGUSR1, [&] {
            order += std::to_string(v.get());
            v.assign(v.get() + 1);
        });
        v.assign(100);
    });
    for (int i = 0; i < 2; ++i) {
        ::raise(SIGUSR1);
        run_passes(2);
    }
    EXPECT_EQ(order, "12") << "in a copy of it, the same for all its calls";
    EXPECT_EQ(v.get(), 0);
}

TEST_P(Signals, TheInterruptedCodeKeepsItsErrno) {
    loop().add_signal_handler(SIGUSR1, [this] { loop().stop(); });
    run_passes(1);
    errno = EXDEV;
    ::raise(SIGUSR1);
    EXPECT_EQ(errno, EXDEV);
    loop().run_forever();
}

TEST_P(Signals, InAForkedChildTheyAreIgnored) {
    loop().add_signal_handler(SIGUSR1, [] { ADD_FAILURE(); });
    run_passes(1);
    EXPECT_EQ(in_child([&] {
                  ::raise(SIGUSR1); // its default action would end the process
                  destroy_loop();
                  ::raise(SIGUSR1);
                  return true;
              }),
              0);
    EXPECT_FALSE(loop().run_once(0s));
    loop().add_signal_handler(SIGUSR1, note('a'));
    ::raise(SIGUSR1);
    run_passes(2);
    EXPECT_EQ(order, "a") << "the parent's go on";
}

TEST_P(Signals, AForkedChildMayHaveHandlersOfItsOwn) {
    loop().add_signal_handler(SIGUSR1, note('p'));
    EXPECT_EQ(in_child([&] {
                  auto own = test::make_loop(GetParam());
                  std::string told;
                  own->add_signal_handler(SIGUSR1, [&] { told.push_back('1'); });
                  own->add_signal_handler(SIGUSR2, [&] { told.push_back('2'); });
                  ::raise(SIGUSR1);
                  ::raise(SIGUSR2);
                  own->run_once(0s);
                  own->run_once(0s);
                  own->close();
                  return told == "12" && order.empty() && action_of(SIGUSR1) == SIG_DFL &&
                         action_of(SIGUSR2) == SIG_DFL;
              }),
              0);
    run_passes(1);
    EXPECT_EQ(order, "");
}

TEST_P(Signals, ArriveFromManyThreadsWhileHandlersComeAndGo) {
    const pid_t self = ::gettid();
    ::signal(SIGUSR1, SIG_IGN); // what meets no handler must not end the process
    std::atomic<bool> stop{false};
    std::jthread sender([&] {
        while (!stop) ::tgkill(::getpid(), self, SIGUSR1);
    });
    int calls = 0;
    for (int i = 0; i < 200 || calls == 0; ++i) {
        auto own = test::make_loop(GetParam());
        own->add_signal_handler(SIGUSR1, [&] { ++calls; });
        own->run_once(0s);
        if (i % 2) own->remove_signal_handler(SIGUSR1);
        own->run_once(0s);
        own->close();
    }
    stop = true;
    sender.join();
    EXPECT_EQ(action_of(SIGUSR1), SIG_IGN);
    ::signal(SIGUSR1, SIG_DFL);
}

} // namespace
} // namespace rondo
