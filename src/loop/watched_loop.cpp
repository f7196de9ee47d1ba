// What a loop does for those who watch it: the observer of its steps and waits, debug mode, and threads that look in.
#include <rondo/loop/event_loop.hpp>

#include <rondo/coro/debug.hpp>
#include <rondo/loop/detail/loop_observer.hpp>

#include "loop/internals.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace rondo {

void event_loop::run_watched(detail::ready_node& node) {
    const time_point began = time();
    if (state_.observer) state_.observer->run(node, *this);
    else node.run(node, *this);
    if (state_.debug) observe_slowness(began);
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

void event_loop::observe_slowness(time_point began) {
    const duration took = time() - began;
    if (took < slow_callback_duration_) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    detail::report_line("a task or callback ran for " + std::to_string(ms) + " ms without awaiting");
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
