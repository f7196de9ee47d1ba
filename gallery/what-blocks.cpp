// What holds the loop up: slow steps, and a profile of who does what.

#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include <time.h>

namespace {

using namespace std::chrono_literals;

/// What this thread has computed so far; it stands still while the thread is blocked.
rondo::duration processor_time() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

/// How long it was ready to run and others had the processor: the second number of this file (ns).
rondo::duration crowded_out() {
    std::int64_t ran = 0, waited = 0;
    std::ifstream("/proc/thread-self/schedstat") >> ran >> waited;
    return std::chrono::nanoseconds(waited);
}

void compute(std::chrono::milliseconds how_long) {
    const auto end = processor_time() + how_long;
    while (processor_time() < end) {}
}

// region suspects
rondo::coro<> computes() { // 120 ms in one step
    co_await rondo::sleep(10ms);
    compute(120ms);
}
rondo::coro<> blocks() { // 90 ms in one step
    co_await rondo::sleep(10ms);
    std::this_thread::sleep_for(90ms);
}
rondo::coro<> computes_in_slices() { // 120 ms in twelve steps
    for (int i = 0; i < 12; ++i) {
        compute(10ms);
        co_await rondo::yield();
    }
}
rondo::coro<> computes_in_a_thread() { co_await rondo::to_thread(compute, 120ms); }
rondo::coro<> waits() { co_await rondo::sleep(120ms); }

rondo::coro<> suspects() {
    co_await rondo::task_group::run([](rondo::task_group& group) -> rondo::coro<> {
        group.create_task({.name = "computes"}, computes);
        group.create_task({.name = "blocks"}, blocks);
        group.create_task({.name = "computes in slices"}, computes_in_slices);
        group.create_task({.name = "computes in a thread"}, computes_in_a_thread);
        group.create_task({.name = "waits"}, waits);
        co_return;
    });
}
// endregion

// region profile
class profile : public rondo::instrument {
public:
    void task_spawned(const rondo::any_task& task) override { rows_[task.name()].born = rondo::clock::now(); }
    void before_task_step(const rondo::any_task&) override {
        began_ = rondo::clock::now();
        computed_ = processor_time();
        crowded_ = crowded_out();
    }
    void after_task_step(const rondo::any_task& task) override {
        const rondo::duration took = rondo::clock::now() - began_;
        row& r = rows_[task.name()];
        ++r.steps;
        r.running += took;
        r.computing += processor_time() - computed_;
        r.crowded += crowded_out() - crowded_;
        r.longest = std::max(r.longest, took);
    }
    void task_exited(const rondo::any_task& task) override { rows_[task.name()].died = rondo::clock::now(); }

    void print() const {
        std::printf("%-22s %6s %11s %11s %13s %11s %14s\n", "task", "steps", "computing", "blocked", "crowded out",
                    "waiting", "longest step");
        for (const auto& [name, r] : rows_)
            std::printf("%-22s %6d %8ld ms %8ld ms %10ld ms %8ld ms %11ld ms\n", name.c_str(), r.steps, ms(r.computing),
                        ms(std::max(rondo::duration(), r.running - r.computing - r.crowded)), ms(r.crowded),
                        ms(r.died - r.born - r.running), ms(r.longest));
    }

private:
    struct row {
        int steps = 0;
        rondo::duration running{}, computing{}, crowded{}, longest{};
        rondo::time_point born, died;
    };
    static long ms(rondo::duration d) { return static_cast<long>(d / 1ms); }

    std::map<std::string, row> rows_;
    rondo::time_point began_;
    rondo::duration computed_{}, crowded_{};
};
// endregion

// region slow
/// In a thread of its own, while it lasts. What is told later and by the loop itself is too late for a step that never ends.
void tell(const rondo::stall_report& stall) {
    std::fprintf(stderr, "  now: task '%s', line %u, %s for %ld ms\n", stall.task_name.c_str(),
                 stall.async_stack.empty() ? 0 : stall.async_stack.front().where.line(),
                 stall.system_call.empty() ? "computes" : ("sits in " + stall.system_call + "()").c_str(),
                 static_cast<long>(stall.lasting / 1ms));
}

/// Debug mode tells of each step that took as long as this when it is over, the watchdog tells of it while it lasts.
void tell_of_steps_from(std::chrono::milliseconds threshold) {
    std::fprintf(stderr, "steps of %ld ms and more:\n", static_cast<long>(threshold.count()));
    rondo::run({.debug = true, .watchdog = true}, [threshold]() -> rondo::coro<> {
        rondo::running_loop().set_stall_handler(tell);
        rondo::running_loop().set_slow_callback_duration(threshold);
        co_await rondo::create_task({.name = "computes"}, computes);
        co_await rondo::create_task({.name = "blocks"}, blocks);
    });
}
// endregion

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "What holds the loop up: slow steps, and a profile of who does what.");
    options.done();
    tell_of_steps_from(100ms);
    tell_of_steps_from(50ms);
    const auto who = std::make_shared<profile>();
    rondo::run({.instruments = {who}}, suspects);
    who->print();
}
