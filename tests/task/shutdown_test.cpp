// The end of a loop: tasks are cancelled and awaited, what does not end is named, and no error is silent.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/task_group.hpp>

#include <chrono>
#include <source_location>
#include <string>
#include <thread>
#include <vector>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class Shutdown : public test::loop_test {
protected:
    /// What does not end by itself is not waited for.
    void have_no_patience() { detail::loop_access::state(loop()).patience = 1ms; }
    static coro<> refuse_to_end() {
        for (;;) static_cast<void>(co_await as_result(sleep_forever()));
    }
};
RONDO_ON_EACH_BACKEND(Shutdown);

TEST_P(Shutdown, CancelsWhatLivesAndWaitsForItsCleanup) {
    std::vector<std::string> steps;
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            const auto r = co_await as_result(sleep_forever());
            steps.emplace_back("cancelled");
            co_await pass_by(3);
            co_await sleep(1ms);
            steps.emplace_back("cleaned up");
            r.value();
        });
        co_await yield();
    });
    loop().close();
    EXPECT_EQ(steps, (std::vector<std::string>{"cancelled", "cleaned up"}));
    EXPECT_TRUE(loop().is_closed());
}

TEST_P(Shutdown, ATaskThatNeverStartedDoesNotStart) {
    static_cast<void>(loop().create_task([]() -> coro<> {
        ADD_FAILURE();
        co_return;
    }));
    loop().close();
}

TEST_P(Shutdown, TasksThatCleanupStartsAreCancelledAndAwaitedToo) {
    int living = 0;
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            spawn(
                [](test::tracked) -> coro<> {
                    static_cast<void>(co_await as_result(sleep_forever()));
                    co_await pass_by(2);
                },
                test::tracked(living));
        });
        co_await yield();
    });
    loop().close();
    EXPECT_EQ(living, 0);
}

TEST_P(Shutdown, EachTaskIsAskedOnce) {
    int asked = 0;
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            for (int i = 0; i < 5; ++i) {
                if ((co_await as_result(sleep(1ms))).cancelled()) ++asked;
            }
        });
        co_await yield();
    });
    loop().close();
    EXPECT_EQ(asked, 1);
}

TEST_P(Shutdown, ErrorsWhileClosingAreReported) {
    run([]() -> coro<> {
        static_cast<void>(create_task({.name = "failing"}, []() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            throw std::out_of_range("in cleanup");
        }));
        co_await yield();
    });
    loop().close();
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].mentions("failing"));
    EXPECT_TRUE(told[0].mentions("closing"));
    EXPECT_TRUE(told[0].holds<std::out_of_range>());
}

TEST_P(Shutdown, AnExitRequestWhileClosingIsReportedAndTheRestStillEnds) {
    bool other_ended = false;
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            co_await pass_by(3);
            other_ended = true;
        });
        static_cast<void>(create_task([]() -> coro<> {
            static_cast<void>(co_await as_result(sleep_forever()));
            throw system_exit(2);
        }));
        co_await yield();
    });
    loop().close();
    EXPECT_TRUE(other_ended);
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(told[0].holds<system_exit>());
}

TEST_P(Shutdown, WhatDoesNotEndIsNamedWithItsPlaceItsChainAndWhatItWaitsFor) {
    have_no_patience();
    unsigned created = 0;
    unsigned waiting = 0;
    const auto inner = [&]() -> coro<> {
        for (;;) {
            waiting = std::source_location::current().line() + 1;
            static_cast<void>(co_await as_result(sleep_forever()));
        }
    };
    run([&]() -> coro<> {
        created = std::source_location::current().line() + 1;
        spawn({.name = "stubborn"}, [&]() -> coro<> { co_await inner(); });
        spawn({.name = "victim"}, []() -> coro<> {
            for (;;) {
                for (const any_task& t : all_tasks()) {
                    if (t.name() == "stubborn") static_cast<void>(co_await as_result(t));
                }
            }
        });
        co_await yield();
    });
    loop().close();
    const auto told = reports.take();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_TRUE(told[0].mentions("'stubborn'"));
    EXPECT_TRUE(told[0].mentions("shutdown_test.cpp:" + std::to_string(created))) << told[0].message;
    EXPECT_TRUE(told[0].mentions("shutdown_test.cpp:" + std::to_string(waiting))) << told[0].message;
    EXPECT_TRUE(told[0].mentions("sleeping for ever")) << told[0].message;
    EXPECT_TRUE(told[1].mentions("'victim'"));
    EXPECT_TRUE(told[1].mentions("depends on task 'stubborn'")) << told[1].message;
}

TEST_P(Shutdown, TheFramesOfWhatDoesNotEndAreDestroyedInnermostFirst) {
    have_no_patience();
    std::vector<char> order;
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            test::at_exit outer([&] { order.push_back('o'); });
            co_await [&]() -> coro<> {
                test::at_exit inner([&] { order.push_back('i'); });
                co_await refuse_to_end();
            }();
        });
        co_await yield();
    });
    loop().close();
    EXPECT_EQ(order, (std::vector<char>{'i', 'o'}));
    EXPECT_EQ(reports.take().size(), 1u);
}

TEST_P(Shutdown, AGroupWithScopesInsideIsDestroyedFromTheOutside) {
    have_no_patience();
    int living = 0;
    run([&]() -> coro<> {
        spawn([&]() -> coro<> {
            co_await task_group::run([&](task_group& group) -> coro<> {
                for (int i = 0; i < 3; ++i) {
                    group.start_soon(
                        [](test::tracked) -> coro<> {
                            cancel_scope own({.shield = true});
                            co_await own.run([]() -> coro<> {
                                co_await task_group::run([](task_group& inner) -> coro<> {
                                    inner.start_soon(refuse_to_end);
                                    co_await refuse_to_end();
                                });
                            });
                        },
                        test::tracked(living));
                }
                co_await refuse_to_end();
            });
        });
        co_await pass_by(3);
    });
    EXPECT_GT(living, 0);
    loop().close();
    EXPECT_EQ(living, 0);
    EXPECT_EQ(reports.take().size(), 7u);
}

TEST_P(Shutdown, AnAwaitCycleIsBrokenAndEnds) {
    run([]() -> coro<> {
        static task<> a;
        static task<> b;
        a = create_task([]() -> coro<> { co_await b; });
        b = create_task([]() -> coro<> { co_await a; });
        co_await pass_by(2);
        a = {};
        b = {};
    });
    loop().close();
    EXPECT_EQ(reports.count(), 0u);
}

TEST_P(Shutdown, CallbacksThatAreStillScheduledAreDroppedUncalled) {
    int living = 0;
    loop().call_soon([t = test::tracked(living)] { ADD_FAILURE(); });
    loop().call_later(1h, [t = test::tracked(living)] { ADD_FAILURE(); });
    loop().call_soon_threadsafe([t = test::tracked(living)] { ADD_FAILURE(); });
    EXPECT_EQ(living, 3);
    loop().close();
    EXPECT_EQ(living, 0);
}

TEST_P(Shutdown, IsIdempotentAndRefusedWhileRunning) {
    run([&]() -> coro<> {
        EXPECT_THROW(loop().close(), runtime_error);
        co_return;
    });
    loop().close();
    loop().close();
}

TEST_P(Shutdown, ALoopThatIsDestroyedUnclosedIsClosed) {
    bool cleaned_up = false;
    {
        auto other = test::make_loop(GetParam());
        other->run_until_complete([&]() -> coro<> {
            spawn([&]() -> coro<> {
                static_cast<void>(co_await as_result(sleep_forever()));
                co_await yield();
                cleaned_up = true;
            });
            co_await yield();
        }());
    }
    EXPECT_TRUE(cleaned_up);
}

TEST_P(Shutdown, ADebugLoopThatIsDestroyedUnclosedSaysSo) {
    testing::internal::CaptureStderr();
    { auto other = test::make_loop(GetParam(), true); }
    EXPECT_NE(testing::internal::GetCapturedStderr().find("destroyed without close()"), std::string::npos);
}

TEST_P(Shutdown, InsideAnotherRunningLoopTasksAreNamedAndDestroyedAtOnce) {
    int living = 0;
    auto inner = test::make_loop(GetParam());
    test::reports inner_reports;
    inner_reports.listen(*inner);
    static_cast<void>(
        inner->create_task([](test::tracked) -> coro<> { co_await sleep_forever(); }, test::tracked(living)));
    run([&]() -> coro<> {
        inner->close();
        co_return;
    });
    EXPECT_EQ(living, 0);
    EXPECT_EQ(inner_reports.take().size(), 1u);
}

TEST_P(Shutdown, TasksThatTwoThreadsMadeAreAllAsked) {
    // Ids are handed out to threads in portions, so they do not tell which task is newer.
    int ended = 0;
    const auto body = [&]() -> coro<> {
        static_cast<void>(co_await as_result(sleep_forever()));
        ++ended;
    };
    run([&]() -> coro<> {
        spawn(body);
        co_await yield();
    });
    std::thread([&] {
        loop().run_until_complete([&]() -> coro<> {
            spawn(body);
            co_await yield();
        }());
    }).join();
    run([&]() -> coro<> {
        spawn(body);
        co_await yield();
    });
    loop().close();
    EXPECT_EQ(ended, 3);
}

} // namespace
} // namespace rondo
