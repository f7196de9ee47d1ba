#include <rondo/task/detail/group_core.hpp>

#include <rondo/coro/debug.hpp>
#include <rondo/task/detail/current.hpp>
#include <rondo/task/exception_group.hpp>
#include <rondo/task/task_group.hpp>

namespace rondo {

coro<void> task_group::join() {
    core_.require_joinable();
    std::exception_ptr error = co_await core_.finish(nullptr);
    if (error) std::rethrow_exception(std::move(error));
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
    if (finished_) return;
    loop_state& here = loop_access::state(host_.loop());
    if (living_ > 0 && !here.closing && here.debug) {
        report_line("a task_group was destroyed with " + std::to_string(living_) + " children left, without join()");
        std::terminate();
    }
    if (!here.closing) abort("the task group was destroyed");
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

void group_core::adopt(task_record& t, counted_ptr<future_state> ready) {
    if (t.done()) { // it ran eagerly to its end; others hear of it in the next pass, when the caller has its handle
        if (t.state() != future_state::status::error || (ready && !ready->done())) return;
        t.mark_observed();
        ++living_;
        deferred_.push_back(loop().call_soon([this, error = t.error()] {
            --living_;
            fail(error);
        }));
        return;
    }
    auto* c = new child(*this, t, std::move(ready));
    c->older = newest_;
    (newest_ ? newest_->newer : oldest_) = c;
    newest_ = c;
    ++living_;
    scope_.node_.add(*c);
    t.add_done_node(*c);
    if (aborting_) t.cancel("the task group is shutting down"); // its own first step brought that about
}

void group_core::child::ended(done_node& node, future_state& of) noexcept {
    auto* c = static_cast<child*>(&node);
    if (c->group) c->group->child_ended(*c, of);
    delete c;
}

void group_core::unlink(child& c) noexcept {
    (c.newer ? c.newer->older : newest_) = c.older;
    (c.older ? c.older->newer : oldest_) = c.newer;
    scope_.node_.remove(c);
    --living_;
}

void group_core::child_ended(child& c, future_state& of) noexcept {
    unlink(c);
    if (of.state() == future_state::status::error && (!c.ready || c.ready->done())) {
        of.mark_observed();
        fail(of.error());
    }
    wake_joiner();
}

void group_core::wake_joiner() noexcept {
    if (living_ == 0 && joiner_) std::exchange(joiner_, nullptr)->all_ended();
}

void group_core::fail(const std::exception_ptr& error) noexcept {
    errors_.push_back(error);
    if (!exit_request_ && is_exit_request(error)) exit_request_ = error;
    if (!aborting_ && !host_cancelled_) {
        abort("another task of its group failed");
        interrupt_body();
    }
    wake_joiner();
}

void group_core::interrupt_body() noexcept {
    if (exiting_ || host_cancelled_) return; // the host waits here already
    host_cancelled_ = true;
    host_.cancel("the task group is shutting down");
}

void group_core::abort(const std::string& reason) noexcept {
    aborting_ = true;
    for (child* c = oldest_; c; c = c->newer) c->task->cancel(reason);
}

void group_core::report_errors_but(const std::exception_ptr& thrown) noexcept {
    for (const std::exception_ptr& error : errors_) {
        if (error != thrown)
            loop_access::report(loop(),
                                {.message = "an error of a task group that nobody will see", .exception = error});
    }
    errors_.clear();
}

void group_core::cancel(const std::string& reason) {
    if (finished_ || (exiting_ && living_ == 0)) return;
    if (!aborting_) abort(reason);
    interrupt_body();
}

coro<std::exception_ptr> group_core::finish(std::exception_ptr body_error) {
    exiting_ = true;
    std::exception_ptr cancellation;
    if (is_cancellation(body_error)) cancellation = std::exchange(body_error, nullptr);
    else if (!exit_request_ && is_exit_request(body_error)) exit_request_ = body_error;
    if ((cancellation || body_error) && !aborting_) abort("the body of the task group ended");

    while (living_ > 0) {
        auto waited = co_await as_result(join_awaiter(*this));
        if (waited) continue;
        cancellation = waited.error();
        if (!aborting_) abort("the task group is being cancelled");
    }
    finished_ = true;
    if (scope_.exit(cancellation)) cancellation = nullptr;
    // Ours is taken back; a scope's around us is not ours to absorb.
    if (host_cancelled_ && host_.uncancel() == 0 && !of_a_scope(cancellation)) cancellation = nullptr;
    if (exit_request_) {
        if (body_error) errors_.push_back(std::move(body_error));
        report_errors_but(exit_request_);
        co_return exit_request_;
    }
    if (errors_.empty() && !body_error) {
        // One that came while the group was shutting down goes on with this one.
        if (cancellation && !of_a_scope(cancellation)) host_.cancellation_is_delivered();
        co_return cancellation;
    }
    if (body_error) errors_.push_back(std::move(body_error));
    // A cancellation that came from outside is still to be delivered: the next await of the host throws it.
    if (host_.cancelling() > 0) host_.ask_again();
    co_return std::make_exception_ptr(exception_group("unhandled errors in a task group", std::move(errors_)));
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
