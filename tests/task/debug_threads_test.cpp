// In debug mode a handle that is used in another thread than its loop's throws, as the loop itself does.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run_in_executor.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/timeout.hpp>

#include <csignal>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class DebugThreads : public test::loop_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override { return test::make_loop(kind, true); }

    /// The loop's thread stands still meanwhile.
    static void expect_refused_elsewhere(const std::function<void()>& misuse) {
        std::string refusal;
        std::thread([&] {
            try {
                misuse();
            } catch (const runtime_error& e) {
                refusal = e.what();
            }
        }).join();
        EXPECT_NE(refusal.find("from a thread that does not run it"), std::string::npos) << refusal;
    }
    static void expect_allowed_elsewhere(const std::function<void()>& use) {
        std::thread([&] { EXPECT_NO_THROW(use()); }).join();
    }
};
RONDO_ON_EACH_BACKEND(DebugThreads);

TEST_P(DebugThreads, AFutureIsNeitherSetNorCancelledNorWatched) {
    run([&]() -> coro<> {
        auto f = create_future<int>();
        auto nothing = create_future<>();
        expect_refused_elsewhere([&] { f.cancel(); });
        expect_refused_elsewhere([&] { f.set_result(1); });
        expect_refused_elsewhere([&] { f.try_set_result(1); });
        expect_refused_elsewhere([&] { nothing.set_result(); });
        expect_refused_elsewhere([&] { nothing.try_set_result(); });
        expect_refused_elsewhere([&] { f.set_exception(std::out_of_range("x")); });
        expect_refused_elsewhere([&] { f.try_set_exception(nullptr); });
        expect_refused_elsewhere([&] { f.add_done_callback([] {}); });
        const callback_id id = f.add_done_callback([] {});
        expect_refused_elsewhere([&] { f.remove_done_callback(id); });
        EXPECT_FALSE(f.done());
        EXPECT_FALSE(nothing.done());
        EXPECT_TRUE(f.remove_done_callback(id));
        co_return;
    });
}

TEST_P(DebugThreads, ATaskIsNeitherCancelledNorNamed) {
    run([&]() -> coro<> {
        auto t = create_task({.name = "own"}, [] { return sleep_forever(); });
        co_await yield();
        expect_refused_elsewhere([&] { t.cancel(); });
        expect_refused_elsewhere([&] { t.uncancel(); });
        expect_refused_elsewhere([&] { t.set_name("x"); });
        expect_refused_elsewhere([&] { t.add_done_callback([] {}); });
        EXPECT_EQ(t.cancelling(), 0);
        EXPECT_EQ(t.name(), "own");
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
}

TEST_P(DebugThreads, ScopesTimeoutsAndGroupsAreLeftAlone) {
    run([&]() -> coro<> {
        cancel_scope scope;
        co_await scope.run([&]() -> coro<> {
            expect_refused_elsewhere([&] { scope.cancel(); });
            expect_refused_elsewhere([&] { scope.set_deadline(time_point::min()); });
            expect_refused_elsewhere([&] { scope.set_shield(true); });
            EXPECT_FALSE(scope.cancel_called() || scope.shield() || scope.deadline());
            co_await yield();
        });
        timeout_scope limit(1h);
        co_await limit.run([&]() -> coro<> {
            const deadline before = limit.when();
            expect_refused_elsewhere([&] { limit.reschedule(std::nullopt); });
            EXPECT_EQ(limit.when(), before);
            co_return;
        });
        co_await task_group::run([&](task_group& group) -> coro<> {
            expect_refused_elsewhere([&] { group.create_task([]() -> coro<> { co_return; }); });
            expect_refused_elsewhere([&] { group.start_soon([]() -> coro<> { co_return; }); });
            expect_refused_elsewhere([&] { group.cancel(); });
            EXPECT_EQ(group.size(), 0U);
            co_await yield();
        });
    });
}

TEST_P(DebugThreads, TheLoopItselfRefusesWhatItKeepsForItsThread) {
    run([&]() -> coro<> {
        expect_refused_elsewhere([&] { static_cast<void>(loop().create_future<>()); });
        expect_refused_elsewhere([&] { loop().set_default_executor(std::make_shared<thread_pool>(1)); });
        expect_refused_elsewhere([&] { loop().remove_signal_handler(SIGUSR1); });
        expect_refused_elsewhere([&] { loop().set_watchdog(true); });
        expect_refused_elsewhere([&] { static_cast<void>(loop().shutdown_asyncgens()); });
        co_return;
    });
}

TEST_P(DebugThreads, APictureOfATaskBelongsToTheThreadThatAskedForIt) {
    auto t = loop().create_task([] { return sleep_forever(); });
    std::thread looking;
    run([&]() -> coro<> {
        looking = std::thread([&] {
            for (any_task& picture : all_tasks(loop())) {
                if (picture == any_task() || picture.id() != t.id()) continue;
                EXPECT_NO_THROW(picture.set_name("x"));
                EXPECT_NO_THROW(picture.cancel());
            }
        });
        EXPECT_TRUE((co_await as_result(t)).cancelled());
    });
    looking.join();
}

TEST_P(DebugThreads, WhoDoesNotRunMayBeUsedByAnybodyAndSoMayWhatIsLeftOfIt) {
    auto f = loop().create_future<int>();
    auto left = loop().create_future<int>();
    expect_allowed_elsewhere([&] { f.set_result(1); });
    end_loop();
    const event_loop another(loop_options{.backend = GetParam(), .debug = true});
    expect_allowed_elsewhere([&] { left.set_result(1); });
    EXPECT_EQ(left.result(), 1);
}

TEST_P(DebugThreads, WithoutDebugModeNothingIsChecked) {
    loop().set_debug(false);
    run([&]() -> coro<> {
        auto f = create_future<int>();
        expect_allowed_elsewhere([&] { f.set_result(1); }); // nobody waits, and this thread stands still
        EXPECT_EQ(co_await f, 1);
    });
}

} // namespace
} // namespace rondo
