// What shield() keeps from being cancelled, what it does not, and why.

#include "support/options.hpp"
#include "support/run.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct trial {
    std::string work = "did not begin";
    std::string waiter = "-";
    rondo::task<> inner;
};

// region work
/// What is to be kept from being cancelled.
rondo::coro<> work(trial& t) {
    t.work = "was cut off";
    co_await rondo::sleep(100ms);
    t.work = "finished";
}
// endregion

rondo::coro<> fail() {
    co_await rondo::sleep(10ms);
    throw std::runtime_error("no");
}

using event = void (*)(trial& t, rondo::task<>& waiter);
void cancel_the_waiter(trial&, rondo::task<>& waiter) { waiter.cancel(); }
void cancel_it_twice(trial&, rondo::task<>& waiter) {
    waiter.cancel();
    rondo::running_loop().call_later(20ms, [waiter]() mutable { waiter.cancel(); });
}
void cancel_the_work(trial& t, rondo::task<>&) { t.inner.cancel(); }
void cancel_everything(trial&, rondo::task<>&) {
    for (rondo::any_task& task : rondo::all_tasks())
        if (task != rondo::current_task()) task.cancel();
}
void nothing(trial&, rondo::task<>&) {} // the trouble comes from inside

struct experiment {
    const char* code;
    const char* trouble;
    rondo::coro<> (*waiter)(trial& t);
    event happens;
    const char* why;
};

// region table
const std::vector<experiment> experiments = {
    {"co_await task", "the waiter is cancelled",
     [](trial& t) -> rondo::coro<> { co_await rondo::create_task(work, std::ref(t)); }, cancel_the_waiter,
     "no shield: a cancellation goes on to what is awaited"},
    {"co_await shield(task)", "the waiter is cancelled",
     [](trial& t) -> rondo::coro<> { co_await rondo::shield(rondo::create_task(work, std::ref(t))); },
     cancel_the_waiter, "the cancellation ends at the shield's own future"},
    {"co_await shield(coroutine)", "the waiter is cancelled",
     [](trial& t) -> rondo::coro<> { co_await rondo::shield(work(t)); }, cancel_the_waiter,
     "it becomes a task, and the loop keeps its tasks: nobody else has to hold it"},
    {"co_await gather(shield(coroutine), sleep)", "the waiter is cancelled",
     [](trial& t) -> rondo::coro<> { co_await rondo::gather(rondo::shield(work(t)), rondo::sleep(50ms)); },
     cancel_the_waiter, "gather cancels its children, and this child is a shield"},
    {"co_await shield(gather(coroutine, sleep))", "the waiter is cancelled",
     [](trial& t) -> rondo::coro<> { co_await rondo::shield(rondo::gather(work(t), rondo::sleep(50ms))); },
     cancel_the_waiter, "the gather is what is shielded, with all its children"},
    {"co_await wait_for(shield(coroutine), 50ms)", "the time is over",
     [](trial& t) -> rondo::coro<> { co_await rondo::wait_for(rondo::shield(work(t)), 50ms); }, nothing,
     "wait_for cancels what it waits for, and that is the shield"},
    {"co_await shield(wait_for(coroutine, 50ms))", "the time is over",
     [](trial& t) -> rondo::coro<> { co_await rondo::shield(rondo::wait_for(work(t), 50ms)); }, nothing,
     "the one who cancels is inside the shield"},
    {"co_await shield(task)", "the task itself is cancelled",
     [](trial& t) -> rondo::coro<> {
         t.inner = rondo::create_task(work, std::ref(t));
         co_await rondo::shield(t.inner);
     },
     cancel_the_work, "a shield stands between waiter and task: who has the task's handle goes round it"},
    {"co_await shield(coroutine)", "all tasks are cancelled",
     [](trial& t) -> rondo::coro<> { co_await rondo::shield(work(t)); }, cancel_everything,
     "what was shielded is one of them; a loop that closes does the same"},
    {"a child of a group: co_await shield(coroutine)", "a sibling fails",
     [](trial& t) -> rondo::coro<> {
         co_await rondo::task_group::run([&t](rondo::task_group& group) -> rondo::coro<> {
             group.create_task(fail);
             group.create_task([](trial& t) -> rondo::coro<> { co_await rondo::shield(work(t)); }, std::ref(t));
             co_return;
         });
     },
     nothing, "but the group has ended without it: it has escaped from its structure"},
    {"co_await shield(group.create_task(coroutine))", "a sibling fails",
     [](trial& t) -> rondo::coro<> {
         co_await rondo::task_group::run([&t](rondo::task_group& group) -> rondo::coro<> {
             group.create_task(fail);
             co_await rondo::shield(group.create_task(work, std::ref(t)));
         });
     },
     nothing, "a group has the handles of its children"},
    {"co_await cancel_scope({.shield = true}).run(...)", "a scope around it is cancelled",
     [](trial& t) -> rondo::coro<> {
         co_await rondo::move_on_after(50ms, [&t]() -> rondo::coro<> {
             co_await rondo::cancel_scope({.shield = true}).run([&t] { return work(t); });
         });
     },
     nothing, "and the waiter waits for it: nothing escapes"},
    {"co_await cancel_scope({.shield = true}).run(...)", "the waiter is cancelled",
     [](trial& t) -> rondo::coro<> { co_await rondo::cancel_scope({.shield = true}).run([&t] { return work(t); }); },
     cancel_the_waiter, "it hides scopes, not task::cancel()"},
    {"co_await finally(sleep, coroutine)", "the waiter is cancelled, twice",
     [](trial& t) -> rondo::coro<> { co_await rondo::finally(rondo::sleep(1h), [&t] { return work(t); }); },
     cancel_it_twice, "cleanup is interrupted by nobody, and waited for"},
};
// endregion

// region attempt
rondo::coro<> attempt(const experiment& e, trial& t) {
    rondo::task<> waiter = rondo::create_task(e.waiter, std::ref(t));
    co_await rondo::sleep(10ms); // all is under way
    e.happens(t, waiter);
    const auto outcome = co_await rondo::as_result(waiter);
    t.waiter = outcome                                 ? "went on"
               : outcome.cancelled()                   ? "was cancelled"
               : outcome.holds<rondo::timeout_error>() ? "timed out"
                                                       : "failed";
    co_await rondo::sleep(1s); // what still can end does
}
// endregion

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "What shield() keeps from being cancelled, what it does not, and why.");
    const bool virtual_time = options.flag("--virtual-time", "do not really wait");
    options.done();
    for (const experiment& e : experiments) {
        trial t;
        if (const int failed = gallery::run(virtual_time, [&] { return attempt(e, t); })) return failed;
        std::printf("%s\n  %s: the work %s, the waiter %s\n  %s: %s\n\n", e.code, e.trouble, t.work.c_str(),
                    t.waiter.c_str(), t.work == "finished" ? "SHIELDS" : "DOES NOT", e.why);
    }
}
