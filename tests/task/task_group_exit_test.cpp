// What leaves a task_group alone: exit requests and generator_exit of its body; and groups that are never joined.
#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/task_group.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace rondo {
namespace {

class TaskGroupExit : public test::loop_test {};
RONDO_ON_EACH_BACKEND(TaskGroupExit);
class TaskGroupUnjoined : public test::loop_test {
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override { return test::make_loop(kind, true); }
};
RONDO_ON_EACH_BACKEND(TaskGroupUnjoined);

template <class E> coro<> throws_after_a_pass(E error) {
    co_await yield();
    throw E(std::move(error));
}
coro<> fails_when_cancelled() {
    static_cast<void>(co_await as_result(sleep_forever()));
    throw std::out_of_range("child");
}

TEST_P(TaskGroupExit, AnExitRequestOfTheBodyEndsTheChildrenAndIsThrownAlone) {
    run([&]() -> coro<> {
        any_task child;
        auto left = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            child = group.create_task([] { return sleep_forever(); });
            co_await throws_after_a_pass(system_exit(3));
        }));
        EXPECT_TRUE(left.holds<system_exit>());
        EXPECT_TRUE(child.cancelled());
        auto interrupted = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.create_task(fails_when_cancelled);
            co_await throws_after_a_pass(keyboard_interrupt());
        }));
        EXPECT_TRUE(interrupted.holds<keyboard_interrupt>());
        EXPECT_EQ(reports.take().size(), 1U); // what the child failed with
    });
}

TEST_P(TaskGroupExit, AGeneratorExitOfTheBodyIsThrownBareWhenNothingElseFailed) {
    run([&]() -> coro<> {
        any_task child;
        auto left = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            child = group.create_task([] { return sleep_forever(); });
            co_await throws_after_a_pass(generator_exit());
        }));
        EXPECT_TRUE(left.holds<generator_exit>());
        EXPECT_TRUE(child.cancelled());
    });
}

TEST_P(TaskGroupExit, AGeneratorExitOfTheBodyIsOneOfTheErrorsWhenAChildFailedToo) {
    run([&]() -> coro<> {
        auto left = co_await as_result(task_group::run([&](task_group& group) -> coro<> {
            group.create_task(fails_when_cancelled);
            co_await throws_after_a_pass(generator_exit());
        }));
        const auto* errors = detail::exception_cast<exception_group>(left.error());
        EXPECT_TRUE(errors);
        if (errors) {
            EXPECT_EQ(errors->size(), 2U);
            EXPECT_TRUE(errors->contains<generator_exit>() && errors->contains<std::out_of_range>());
            EXPECT_TRUE(errors->has_base());
        }
    });
}

TEST_P(TaskGroupUnjoined, IsToldOfInDebugMode) {
    run([&]() -> coro<> {
        testing::internal::CaptureStderr();
        {
            task_group group;
            co_await group.run([] { return sleep(duration::zero()); }); // another group's
        }
        EXPECT_NE(testing::internal::GetCapturedStderr().find("without join()"), std::string::npos);
        testing::internal::CaptureStderr();
        {
            task_group group;
            co_await group.join();
        }
        co_await task_group::run([] { return sleep(duration::zero()); });
        loop().set_debug(false);
        { task_group group; }
        EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    });
}

} // namespace
} // namespace rondo
