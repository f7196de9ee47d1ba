#include <rondo/task/detail/group_core.hpp>

#include <rondo/coro/debug.hpp>
#include <rondo/task/detail/current.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/task_group.hpp>

#include "coro/without_memory.hpp"

namespace rondo {

coro<void> task_group::join() {
    core_.require_joinable();
    core_.begin_end(nullptr);
    while (core_.has_living()) core_.waited(co_await as_result(detail::group_core::join_awaiter(core_)));
    if (std::exception_ptr error = core_.end()) std::rethrow_exception(std::move(error));
}

namespace detail {

namespace {

bool of_a_scope(const std::exception_ptr& cancellation) noexcept {
    const auto* error = exception_cast<cancelled_error>(cancellation);
    return error && cancelled_access::scope(*error);
}

} // namespace

group_core::group_core() : host_(current_record()) { scope_.enter(); }

group_core::~group_core() {
    if (finished_) {
        drop_errors();
        return;
    }
    loop_state& here = loop_access::state(host_.loop());
    if (living_ > 0 && !here.closing && here.debug) {
        report_line("a task_group was destroyed with " + std::to_string(living_) + " children left, without join()");
        std::terminate();
    }
    if (living_ == 0 && !exiting_ && !aborting_ && !frames_are_being_destroyed() && here.debug)
        report_line("a task_group was destroyed without join(); run() makes a group of its own");
    if (!here.closing) abort(text_if_possible("the task group was destroyed"));
    for (handle& h : deferred_) h.cancel();
    report_errors_but(nullptr);
    scope_.node_.release_inside();
    for (child* c = newest_; c; c = c->older) c->group = nullptr;
}

void group_core::require_open() const {
    if (finished_ || (exiting_ && living_ == 0)) throw runtime_error("this task group has ended");
    if (aborting_) throw runtime_error("this task group is shutting down");
}

void group_core::require_joinable() const {
    if (exiting_) throw runtime_error("this task group was joined before");
    if (current_record_or_null() != &host_) throw runtime_error("a task group is joined by the task that made it");
}

void group_core::adopt(task_record& t, std::unique_ptr<child> place) {
    place->task = &t;
    if (t.done()) { // it ran eagerly to its end; others hear of it in the next pass, when the caller has its handle
        if (t.state() != future_state::status::error || (place->ready && !place->ready->done())) return;
        deferred_.reserve(deferred_.size() + 1);
        deferred_.push_back(loop().call_soon([this, failed = std::move(place), error = t.error()]() mutable {
            --living_;
            fail(std::move(failed), error);
        }));
        t.mark_observed();
        ++living_;
        return;
    }
    child* const c = place.release();
    c->older = newest_;
    (newest_ ? newest_->newer : oldest_) = c;
    newest_ = c;
    ++living_;
    scope_.node_.add(*c);
    t.add_done_node(*c);
    // Its own first step may have brought that about.
    if (aborting_) t.cancel(text_if_possible("the task group is shutting down"));
}

void group_core::child::ended(done_node& node, future_state& of) noexcept {
    std::unique_ptr<child> c(static_cast<child*>(&node));
    if (c->group) c->group->child_ended(std::move(c), of);
}

void group_core::unlink(child& c) noexcept {
    (c.newer ? c.newer->older : newest_) = c.older;
    (c.older ? c.older->newer : oldest_) = c.newer;
    scope_.node_.remove(c);
    --living_;
}

void group_core::child_ended(std::unique_ptr<child> c, future_state& of) noexcept {
    unlink(*c);
    if (of.state() == future_state::status::error && (!c->ready || c->ready->done())) {
        of.mark_observed();
        fail(std::move(c), of.error());
    }
    wake_joiner();
}

void group_core::wake_joiner() noexcept {
    if (living_ == 0 && joiner_) std::exchange(joiner_, nullptr)->all_ended();
}

void group_core::fail(std::unique_ptr<child> c, const std::exception_ptr& error) noexcept {
    c->error = error;
    c->newer = c->older = nullptr;
    child* const failed = c.release();
    (last_error_ ? last_error_->newer : first_error_) = failed;
    last_error_ = failed;
    if (!exit_request_ && is_exit_request(error)) exit_request_ = error;
    if (!aborting_ && !host_cancelled_) {
        abort(text_if_possible("another task of its group failed"));
        interrupt_body();
    }
    wake_joiner();
}

void group_core::interrupt_body() noexcept {
    if (exiting_ || host_cancelled_) return; // the host waits here already
    host_cancelled_ = true;
    host_.cancel(text_if_possible("the task group is shutting down"));
}

void group_core::abort(const std::string& reason) noexcept {
    aborting_ = true;
    for (child* c = oldest_; c; c = c->newer) c->task->cancel(reason);
}

void group_core::report_errors_but(const std::exception_ptr& thrown) noexcept {
    const auto report = [&](const std::exception_ptr& error) {
        if (error && error != thrown)
            loop_access::report(loop(), {.message = text_if_possible("an error of a task group that nobody will see"),
                                         .exception = error});
    };
    for (const child* c = first_error_; c; c = c->newer) report(c->error);
    report(body_error_);
    drop_errors();
}

void group_core::drop_errors() noexcept {
    body_error_ = nullptr;
    while (first_error_) delete std::exchange(first_error_, first_error_->newer);
    last_error_ = nullptr;
}

std::vector<std::exception_ptr> group_core::errors() const {
    std::vector<std::exception_ptr> all;
    for (const child* c = first_error_; c; c = c->newer) all.push_back(c->error);
    if (body_error_) all.push_back(body_error_);
    return all;
}

void group_core::cancel(const std::string& reason) {
    if (finished_ || (exiting_ && living_ == 0)) return;
    if (!aborting_) abort(reason);
    interrupt_body();
}

void group_core::begin_end(std::exception_ptr body_error) noexcept {
    exiting_ = true;
    if (is_cancellation(body_error)) cancellation_ = std::move(body_error);
    else body_error_ = std::move(body_error);
    if (body_error_ && !exit_request_ && is_exit_request(body_error_)) exit_request_ = body_error_;
    if ((cancellation_ || body_error_) && !aborting_) abort(text_if_possible("the body of the task group ended"));
}

void group_core::waited(const result<void>& outcome) noexcept {
    if (outcome) return;
    cancellation_ = outcome.error();
    if (!aborting_) abort(text_if_possible("the task group is being cancelled"));
}

std::exception_ptr group_core::end() {
    finished_ = true;
    if (scope_.exit(cancellation_)) cancellation_ = nullptr;
    // Ours is taken back; a scope's around us is not ours to absorb.
    if (host_cancelled_ && host_.uncancel() == 0 && !of_a_scope(cancellation_)) cancellation_ = nullptr;
    if (exit_request_) {
        report_errors_but(exit_request_);
        return exit_request_;
    }
    if (!first_error_ && !body_error_) {
        // One that came while the group was shutting down goes on with this one.
        if (cancellation_ && !of_a_scope(cancellation_)) host_.cancellation_is_delivered();
        return cancellation_;
    }
    const bool only_exits_generator = !first_error_ && exception_cast<generator_exit>(body_error_);
    // A cancellation that came from outside is still to be delivered: the next await of the host throws it.
    if (host_.cancelling() > 0) host_.ask_again();
    if (only_exits_generator) return body_error_;
    return std::make_exception_ptr(exception_group("unhandled errors in a task group", errors()));
}

void group_core::join_awaiter::wait(std::coroutine_handle<> frame) noexcept {
    if (group_.aborting_ ? !suspend_uninterrupted(frame) : !suspend(frame)) return;
    group_.joiner_ = this;
}

cancel_outcome group_core::join_awaiter::cancel(const std::string&) noexcept {
    if (group_.aborting_ || !is_waiting()) return cancel_outcome::too_late;
    group_.joiner_ = nullptr;
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::string group_core::join_awaiter::describe() const {
    return "waiting for the " + std::to_string(group_.living_) + " children of a task group";
}

void group_core::join_awaiter::waits_for(std::vector<const future_state*>& who) const {
    for (const child* c = group_.oldest_; c; c = c->newer) who.push_back(c->task);
}

} // namespace detail
} // namespace rondo
