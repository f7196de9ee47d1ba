#include <rondo/task/detail/thread_call.hpp>

#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/current.hpp>

#include "task/thread_service.hpp"

namespace rondo::detail {

namespace {

constinit thread_local thread_call* current_call = nullptr;

} // namespace

thread_call* thread_call::current() noexcept { return current_call; }

void thread_call::start(event_loop& loop, executor* where, outcome_owner& owner, origin from,
                        std::optional<context_ref> context) {
    executor& pool = where ? *where : loop.default_executor();
    thread_service& threads = service<thread_service>(loop);
    door_ = loop_access::door(loop);
    context_ = std::move(context);
    in_default_executor_ = !where;
    owner_ = &owner;
    from_ = from;
    started_by_ = counted_ptr<future_state>(current_record_or_null());
    enter(loop);
    if (in_default_executor_) threads.call_started();
    try {
        pool.submit(
            [self = std::static_pointer_cast<thread_call>(shared_from_this())]() mutable { run(std::move(self)); });
    } catch (...) {
        owner_ = nullptr;
        started_by_ = {};
        leave();
        if (in_default_executor_) threads.call_ended();
        over();
        throw;
    }
}

void thread_call::cancel() noexcept {
    owner_ = nullptr;
    cancel_requested_.store(true, std::memory_order_release);
    step before = step::queued;
    if (step_.compare_exchange_strong(before, step::skipped)) over();
}

bool thread_call::skip() noexcept {
    step before = step::queued;
    if (!step_.compare_exchange_strong(before, step::skipped)) return false;
    owner_ = nullptr;
    over();
    return true;
}

/// The message takes the last reference of this thread along: what the call returned dies where the loop is.
void thread_call::run(std::shared_ptr<thread_call> self) noexcept {
    step before = step::queued;
    if (self->step_.compare_exchange_strong(before, step::begun)) {
        thread_call* const outer = std::exchange(current_call, self.get());
        if (self->context_) {
            const context_switch inside(*self->context_);
            self->invoke();
        } else {
            self->invoke();
        }
        current_call = outer;
        self->context_.reset();
    }
    const std::shared_ptr<loop_door> door = self->door_;
    message_of<thread_call>& end = self->end_;
    door->post(end, std::move(self));
}

void thread_call::returned() noexcept {
    if (in_default_executor_) service<thread_service>(running_loop()).call_ended();
    started_by_ = {};
    leave();
    over();
    if (owner_) std::exchange(owner_, nullptr)->call_ended();
    else drop_outcome();
}

void thread_call::give_up() noexcept {
    in_default_executor_ = false;
    if (has_begun()) return;
    leave();
    abandon();
}

void thread_call::abandon() noexcept {
    step before = step::queued;
    step_.compare_exchange_strong(before, step::skipped);
    started_by_ = {};
    over();
    if (owner_) std::exchange(owner_, nullptr)->call_abandoned();
}

std::string thread_call::description() const {
    std::string text = from_.function;
    if (from_.where.line() != 0)
        text += std::string(" at ") + from_.where.file_name() + ":" + std::to_string(from_.where.line());
    if (started_by_) text += " by " + started_by_->label();
    return text;
}

} // namespace rondo::detail
