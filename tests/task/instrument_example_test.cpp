// The examples of docs/instruments.md.
#include "support/loop_test.hpp"

#include <rondo/task/call_graph.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/errors.hpp>
#include <rondo/task/instrument.hpp>
#include <rondo/task/run.hpp>
#include <rondo/task/to_thread.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace rondo {
namespace {

using namespace std::chrono_literals;

class InstrumentExample : public test::loop_test {};
RONDO_ON_EACH_BACKEND(InstrumentExample);

// region busy
/// How long each task has kept the loop busy.
struct busy_time : instrument {
    std::map<std::string, duration> of;
    time_point began;

    void before_task_step(const any_task&) override { began = rondo::clock::now(); }
    void after_task_step(const any_task& task) override { of[task.name()] += rondo::clock::now() - began; }
};
// endregion

TEST_P(InstrumentExample, BusyTimeIsKeptForEachTask) {
    const auto busy = std::make_shared<busy_time>();
    rondo::run({.loop_factory = [] { return test::make_loop(GetParam()); }, .instruments = {busy}}, []() -> coro<> {
        co_await create_task({.name = "worker"}, []() -> coro<> {
            const time_point until = rondo::clock::now() + 2ms;
            while (rondo::clock::now() < until) {}
            co_return;
        });
    });
    EXPECT_EQ(busy->of.size(), 2U);
    EXPECT_GE(busy->of.at("worker"), 2ms);
}

// region watch
/// In a thread of its own: what the tasks of a loop do, or that it does not come round.
std::string glance(event_loop& loop) {
    try {
        std::string text;
        for (const any_task& task : all_tasks(loop, 1s)) {
            text += task.name();
            for (const stack_entry& frame : task.async_stack()) text += " < line " + std::to_string(frame.where.line());
            text += "\n";
        }
        return text;
    } catch (const timeout_error&) {
        return "the loop is stuck\n";
    }
}
// endregion

TEST_P(InstrumentExample, AnotherThreadGlancesAtTheTasks) {
    auto t = loop().create_task({.name = "sleeper"}, []() -> coro<> { co_await sleep_forever(); });
    std::string text;
    run([&]() -> coro<> { text = co_await to_thread([&] { return glance(loop()); }); });
    EXPECT_EQ(text.rfind("sleeper < line ", 0), 0U) << text;
    t.cancel();
}

} // namespace
} // namespace rondo
