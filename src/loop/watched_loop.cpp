// What a loop does for those who watch it: the observer of its steps and waits, debug mode, and threads that look in.
#include <rondo/loop/event_loop.hpp>

#include <rondo/coro/debug.hpp>
#include <rondo/loop/detail/loop_observer.hpp>

#include "loop/internals.hpp"
#include "loop/loop_registry.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace rondo {

namespace detail {

namespace {

/// What is about to run, kept so that it can be named when it has.
class step_in_view {
public:
    step_in_view(const loop_state& state, ready_node& node) noexcept
        : floor_(state.tasks_known), task_(floor_ ? floor_->keep(node) : nullptr), callback_(callback::of_node(node)) {
        if (callback_) callback_->retain();
    }
    step_in_view(const step_in_view&) = delete;
    step_in_view& operator=(const step_in_view&) = delete;
    ~step_in_view() {
        if (task_) floor_->let_go(*task_);
        if (callback_) callback_->release();
    }
    std::string name() const {
        if (task_) return floor_->text(*task_);
        return callback_ ? callback_->text() : "<a step of the library>";
    }

private:
    const task_floor* const floor_;
    future_state* const task_;
    callback* const callback_;
};

} // namespace

void check_thread_slowly(const event_loop* loop) {
    if (loop == current_loop) return;
    look_if_registered(loop, [](const event_loop& there) { loop_access::check_thread(there); });
}

void loop_access::check_thread(const event_loop& loop) { loop.check_thread(); }

} // namespace detail

void event_loop::set_debug(bool on) noexcept {
    if (on != state_.debug && !closed_) detail::loops_in_debug.fetch_add(on ? 1 : -1, std::memory_order_relaxed);
    state_.debug = on;
    state_.watched = on || state_.observer;
}

void event_loop::check_thread() const {
    if (state_.debug && running_ && internals_->thread != std::this_thread::get_id())
        throw runtime_error("the event loop was used from a thread that does not run it: say call_soon_threadsafe()");
}

void event_loop::run_watched(detail::ready_node& node) {
    const auto run = [&] {
        if (state_.observer) state_.observer->run(node, *this);
        else node.run(node, *this);
    };
    if (!state_.debug) {
        run();
        return;
    }
    const detail::step_in_view step(state_, node);
    internals& in = *internals_;
    const std::uint64_t pass = state_.passes.load(std::memory_order_relaxed);
    // Within a pass one step begins when the one before has ended: the clock is what debug mode costs most.
    const time_point began = in.step_ended_in == pass ? in.step_ended : time();
    run();
    in.step_ended = time();
    in.step_ended_in = pass;
    const duration took = in.step_ended - began;
    if (took < slow_callback_duration() || !state_.debug) return;
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f", std::chrono::duration<double>(took).count());
    detail::report_line("Executing " + step.name() + " took " + seconds + " seconds");
}

void event_loop::wait(time_point until) noexcept {
    detail::backend& world = *internals_->backend;
    if (!state_.observer) [[likely]] {
        world.wait(until);
        return;
    }
    const delay timeout = until == time_point::max()   ? delay(no_timeout)
                          : until == time_point::min() ? delay(duration::zero())
                                                       : delay(std::max(until - world.now(), duration::zero()));
    state_.observer->wait_begins(timeout);
    world.wait(until);
    if (state_.observer) state_.observer->wait_ends(timeout);
}

namespace detail {

void loop_access::observe(event_loop& loop, loop_observer* observer) noexcept {
    loop.state_.observer = observer;
    loop.state_.watched = observer || loop.state_.debug;
}

bool loop_access::visit(event_loop& loop, std::function<void(bool here)> look, delay timeout,
                        const std::function<std::exception_ptr()>& late) {
    if (loop.state_.generation != process_generation)
        throw runtime_error("this event loop belongs to the parent process");
    const std::shared_ptr<loop_visits> visits = loop.internals_->visits; // may be there longer than the loop
    const std::shared_ptr<loop_door> way_in = loop.internals_->door;
    const visit_outcome outcome = visits->visit(*way_in, std::move(look), timeout);
    if (outcome == visit_outcome::too_late) std::rethrow_exception(late());
    return outcome == visit_outcome::seen;
}

} // namespace detail
} // namespace rondo
