// call_soon_threadsafe(): the way into a loop from other threads.
#include "support/blocked_thread.hpp"
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using rondo::test::tracked;

/// Of the kernel: threads race with a loop that sleeps.
class CallSoonThreadsafe : public test::loop_test {};
RONDO_ON_EACH_BACKEND(CallSoonThreadsafe);

TEST_P(CallSoonThreadsafe, RunsInTheLoopsThread) {
    std::thread::id ran_in;
    std::jthread([&] { loop().call_soon_threadsafe([&] { ran_in = std::this_thread::get_id(); }); }).join();
    run_passes(1);
    EXPECT_EQ(ran_in, std::this_thread::get_id());
}

TEST_P(CallSoonThreadsafe, InTheLoopsOwnThreadItWaitsForTheNextPass) {
    std::string order;
    loop().call_soon([&] {
        loop().call_soon_threadsafe([&] { order.push_back('b'); });
        order.push_back('a');
    });
    run_passes(1);
    EXPECT_EQ(order, "a");
    run_passes(1);
    EXPECT_EQ(order, "ab");
}

TEST_P(CallSoonThreadsafe, WakesALoopThatSleeps) {
    const pid_t self = ::gettid();
    std::atomic<int> woken{0};
    std::jthread other([&] {
        for (int i = 1; i <= 50; ++i) {
            test::wait_until_blocked(self);
            loop().call_soon_threadsafe([&] { ++woken; });
            while (woken.load() != i) std::this_thread::yield();
        }
        loop().call_soon_threadsafe([&] { loop().stop(); });
    });
    loop().run_forever(); // without a timer: only the other thread can end it
    EXPECT_EQ(woken.load(), 50);
}

TEST_P(CallSoonThreadsafe, WakesALoopAtAnyMoment) {
    std::atomic<int> asked{0};
    std::atomic<bool> stop{false};
    std::jthread other([&] {
        int answered = 0;
        while (!stop) {
            if (asked > answered) {
                ++answered;
                loop().call_soon_threadsafe([&] { loop().stop(); });
            } else {
                std::this_thread::yield();
            }
        }
    });
    for (int i = 0; i < 1000; ++i) {
        ++asked;
        loop().run_forever();
    }
    stop = true;
}

TEST_P(CallSoonThreadsafe, KeepsTheOrderOfAThread) {
    std::vector<int> order;
    std::jthread other([&] {
        for (int i = 0; i < 1000; ++i) loop().call_soon_threadsafe([&, i] { order.push_back(i); });
        loop().call_soon_threadsafe([&] { loop().stop(); });
    });
    loop().run_forever();
    ASSERT_EQ(order.size(), 1000u);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST_P(CallSoonThreadsafe, FromEightThreadsNothingIsLostAndEachKeepsItsOrder) {
    constexpr int threads = 8;
    constexpr int calls = 500;
    std::vector<int> next(threads, 0);
    int total = 0;
    std::latch start(threads);
    std::vector<std::jthread> others;
    for (int t = 0; t < threads; ++t) {
        others.emplace_back([&, t] {
            start.arrive_and_wait();
            for (int i = 0; i < calls; ++i) {
                loop().call_soon_threadsafe([&, t, i] {
                    EXPECT_EQ(next[static_cast<std::size_t>(t)]++, i);
                    if (++total == threads * calls) loop().stop();
                });
            }
        });
    }
    loop().run_forever();
    EXPECT_EQ(total, threads * calls);
}

/// What has been written to the wake-up descriptors of this process and not been read, as the kernel counts it.
std::uint64_t written_to_eventfds() {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
        std::ifstream in(entry.path());
        for (std::string word; in >> word;) {
            if (word != "eventfd-count:") continue;
            std::uint64_t count = 0;
            in >> std::hex >> count;
            sum += count;
        }
    }
    return sum;
}

TEST_P(CallSoonThreadsafe, WritesNoDescriptorWhileTheLoopIsAwake) {
    loop().call_soon([&] {
        const std::uint64_t before = written_to_eventfds();
        std::jthread([&] {
            for (int i = 0; i < 100; ++i) loop().call_soon_threadsafe([] {});
        }).join();
        EXPECT_EQ(written_to_eventfds(), before);
    });
    run_passes(2);
    // Nor between its runs: the next one looks before it sleeps.
    const std::uint64_t before = written_to_eventfds();
    std::jthread([&] { loop().call_soon_threadsafe([] {}); }).join();
    EXPECT_EQ(written_to_eventfds(), before);
    EXPECT_TRUE(loop().run_once(no_timeout));
}

TEST_P(CallSoonThreadsafe, OnlyTheFirstOfManyWritesWhileTheLoopSleeps) {
    const pid_t self = ::gettid();
    const std::uint64_t before = written_to_eventfds();
    std::atomic<bool> in_callback{false};
    std::binary_semaphore all_said(0);
    std::uint64_t after = 0;
    std::jthread other([&] {
        test::wait_until_blocked(self);
        loop().call_soon_threadsafe([&] {
            in_callback = true;
            all_said.acquire();
        });
        while (!in_callback) std::this_thread::yield();
        for (int i = 0; i < 100; ++i) loop().call_soon_threadsafe([] {});
        after = written_to_eventfds();
        all_said.release();
        loop().call_soon_threadsafe([&] { loop().stop(); });
    });
    loop().run_forever();
    EXPECT_LE(after, before + 1); // the wake-up, where it was not read
}

TEST_P(CallSoonThreadsafe, ClosedItThrowsAndDestroysTheCallable) {
    int living = 0;
    loop().close();
    std::jthread([&] { EXPECT_THROW(loop().call_soon_threadsafe([t = tracked(living)] {}), runtime_error); }).join();
    EXPECT_EQ(living, 0);
}

TEST_P(CallSoonThreadsafe, WhatTheLoopDidNotComeToIsDestroyedWithIt) {
    int living = 0;
    handle kept;
    std::jthread([&] { kept = loop().call_soon_threadsafe([t = tracked(living)] { ADD_FAILURE(); }); }).join();
    EXPECT_EQ(living, 1);
    end_loop();
    EXPECT_EQ(living, 0);
    EXPECT_TRUE(kept.cancelled());
}

TEST_P(CallSoonThreadsafe, ThreadsRaceWithClose) {
    for (int round = 0; round < 30; ++round) {
        auto own = test::make_loop(GetParam());
        std::atomic<int> accepted{0};
        std::atomic<int> living{0};
        std::atomic<int> ran{0};
        struct counted {
            explicit counted(std::atomic<int>& l) : living(&l) { ++*living; }
            counted(const counted& other) : living(other.living) { ++*living; }
            ~counted() { --*living; }
            std::atomic<int>* living;
        };
        std::latch start(5);
        std::vector<std::jthread> others;
        for (int t = 0; t < 4; ++t) {
            others.emplace_back([&] {
                start.arrive_and_wait();
                try {
                    for (int i = 0; i < 500; ++i) {
                        own->call_soon_threadsafe([&ran, c = counted(living)] { ++ran; });
                        ++accepted;
                        std::this_thread::yield();
                    }
                } catch (const runtime_error&) { // closed
                }
            });
        }
        start.arrive_and_wait();
        for (int i = 0; i < round % 5; ++i) own->run_once(0s);
        own->close();
        others.clear();
        own.reset();
        EXPECT_EQ(living.load(), 0);
        EXPECT_LE(ran.load(), accepted.load());
    }
}

TEST_P(CallSoonThreadsafe, MayBeCancelledFromAnyThread) {
    int living = 0;
    handle h;
    std::jthread([&] { h = loop().call_soon_threadsafe([t = tracked(living)] { ADD_FAILURE(); }); }).join();
    std::jthread([copy = h]() mutable {
        EXPECT_FALSE(copy.cancelled());
        copy.cancel();
        EXPECT_TRUE(copy.cancelled());
    }).join();
    EXPECT_TRUE(h.cancelled());
    run_passes(1);
    EXPECT_EQ(living, 0);
}

TEST_P(CallSoonThreadsafe, CancelWaitsWhileTheCallbackRuns) {
    std::binary_semaphore running(0);
    std::atomic<bool> ended{false};
    std::jthread other;
    handle h = loop().call_soon_threadsafe([&] {
        running.release();
        for (int i = 0; i < 1000; ++i) std::this_thread::yield();
        ended = true;
    });
    other = std::jthread([&, copy = h]() mutable {
        running.acquire();
        copy.cancel();
        EXPECT_TRUE(ended.load()) << "when cancel() returns, the callback does not run any more";
        EXPECT_FALSE(copy.cancelled());
    });
    run_passes(1);
}

TEST_P(CallSoonThreadsafe, CancellingRacesWithRunning) {
    constexpr int rounds = 300;
    std::atomic<int> ran{0};
    std::atomic<int> cancelled{0};
    std::jthread other([&] {
        for (int i = 0; i < rounds; ++i) {
            std::atomic<bool> mine{false};
            handle h = loop().call_soon_threadsafe([&] {
                mine = true;
                ++ran;
            });
            if (i % 3 == 0) std::this_thread::yield();
            h.cancel(); // from here on `mine` is not touched
            if (h.cancelled()) {
                ++cancelled;
                EXPECT_FALSE(mine.load());
            } else {
                EXPECT_TRUE(mine.load());
            }
        }
        loop().call_soon_threadsafe([&] { loop().stop(); });
    });
    loop().run_forever();
    EXPECT_EQ(ran.load() + cancelled.load(), rounds);
}

TEST_P(CallSoonThreadsafe, ACallbackMayCancelItself) {
    handle h;
    bool went_on = false;
    std::jthread([&] {
        h = loop().call_soon_threadsafe([&] {
            h.cancel(); // in the loop's thread it does not wait for itself
            went_on = true;
        });
    }).join();
    run_passes(1);
    EXPECT_TRUE(went_on);
    EXPECT_FALSE(h.cancelled());
}

TEST_P(CallSoonThreadsafe, TwoLoopsInTwoThreadsPlayPingPong) {
    auto other = test::make_loop(GetParam());
    int rallies = 0;
    std::function<void()> ping;
    std::function<void()> pong = [&] { loop().call_soon_threadsafe(ping); };
    ping = [&] {
        if (++rallies < 500) {
            other->call_soon_threadsafe(pong);
            return;
        }
        other->call_soon_threadsafe([&] { other->stop(); });
        loop().stop();
    };
    std::jthread thread([&] { other->run_forever(); });
    loop().call_soon(ping);
    loop().run_forever();
    thread.join();
    EXPECT_EQ(rallies, 500);
    other->close();
}

} // namespace
} // namespace rondo
