#include <rondo/loop/handle.hpp>

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/detail/message.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/text_of_place.hpp"

#include <chrono>
#include <cstdio>
#include <ostream>
#include <string>

namespace rondo {

namespace detail {

callback::callback(event_loop& loop, call_options&& options, bool threadsafe)
    : ready_node(&run_scheduled),
      loop_(loop),
      threadsafe_(threadsafe),
      context_(options.context ? options.context->state() : fork_context()),
      where_(options.where) {}

void callback::cancel() noexcept {
    state before{};
    if (claim(state::cancelled, before)) {
        if (threadsafe_) return; // the loop's thread drops the callable when its turn comes
        drop_callable();
        unschedule();
    } else if (before == state::running && current_loop != &loop_) {
        state_.wait(state::running, std::memory_order_acquire);
    }
}

void callback::run_scheduled(ready_node& node, event_loop& loop) {
    auto& self = static_cast<callback&>(node);
    state before{};
    if (self.claim(state::running, before)) {
        std::exception_ptr error;
        {
            context_switch inside(self.context_);
            try {
                self.invoke();
            } catch (...) {
                error = std::current_exception();
            }
            self.drop_callable();
        }
        self.state_.store(state::ran, std::memory_order_release);
        if (self.threadsafe_) self.state_.notify_all();
        if (error && is_exit_request(error)) loop_access::state(loop).exit_request = error;
        else if (error)
            loop_access::report(loop, {.message = "exception in callback", .exception = error, .handle = &self});
    } else if (self.threadsafe_) {
        self.drop_callable();
    }
    self.release();
}

void callback::discard(ready_node& node) noexcept {
    if (node.run != &run_scheduled) return;
    auto& self = static_cast<callback&>(node);
    state before{};
    if (self.claim(state::cancelled, before) || self.threadsafe_) self.drop_callable();
    self.release();
}

void discard(ready_node& node) noexcept {
    if (message::is(node)) static_cast<message&>(node).lose();
    else callback::discard(node);
}

std::string callback::text() const {
    constexpr const char* words[] = {"scheduled", "running", "finished", "cancelled"};
    return "<" + kind() + " " + words[static_cast<int>(state_.load(std::memory_order_acquire))] + " created at " +
           text_of_place(where_) + ">";
}

std::string timer_callback::kind() const {
    char when[48];
    std::snprintf(when, sizeof when, "TimerHandle when=%.3f",
                  std::chrono::duration<double>(timer_.due.time_since_epoch()).count());
    return when;
}

timer_callback::timer_callback(event_loop& loop, call_options&& options, bool threadsafe)
    : callback(loop, std::move(options), threadsafe) {}

void timer_callback::arm(time_point when) {
    timer_.due = when;
    arm_timer(loop(), timer_, when);
    retain();
}

void timer_callback::unschedule() noexcept {
    if (!timer_.armed()) return; // it is in the ready queue, which will let go of it
    disarm_timer(loop(), timer_);
    release();
}

void timer_callback::owned_timer::fire_owner(timer_node& node, event_loop& loop) noexcept {
    loop_access::state(loop).ready.push(static_cast<owned_timer&>(node).owner);
}

} // namespace detail

std::string to_string(const handle& h) { return h.callback_ ? h.callback_->text() : "<Handle null>"; }
std::ostream& operator<<(std::ostream& to, const handle& h) { return to << to_string(h); }

rondo::context handle::context() const { return callback_ ? rondo::context(callback_->context()) : rondo::context(); }

} // namespace rondo
