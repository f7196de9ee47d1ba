#include <rondo/task/detail/future_state.hpp>

#include <rondo/coro/debug.hpp>

#include "coro/without_memory.hpp"
#include "task/cancel_walk.hpp"

#include <atomic>

namespace rondo::detail {

constinit thread_local id_portion future_ids;

std::uint64_t take_portion_of_ids() noexcept {
    constexpr std::uint64_t portion = 1024;
    static std::atomic<std::uint64_t> taken{1};
    future_ids.next = taken.fetch_add(portion, std::memory_order_relaxed);
    future_ids.end = future_ids.next + portion;
    return future_ids.next++;
}

void future_state::add_done_node(done_node& node) noexcept {
    if (done()) {
        node.fire(node, *this);
        return;
    }
    node.next = nullptr;
    node.previous = last_waiter_;
    *last_waiter_ = &node;
    last_waiter_ = &node.next;
}

void future_state::remove_done_node(done_node& node) noexcept {
    if (!node.linked()) return;
    *node.previous = node.next;
    if (node.next) node.next->previous = node.previous;
    else last_waiter_ = node.previous;
    node.previous = nullptr;
    node.next = nullptr;
}

void future_state::tell_waiters() noexcept {
    ++references_; // who is told may let go of the last one
    while (done_node* node = waiters_) {
        remove_done_node(*node);
        node->fire(*node, *this);
    }
    if (--references_ == 0 && done()) last_release(); // not done: it is being destroyed already
}

void future_state::settle_error(std::exception_ptr error) noexcept {
    const bool cancelled = is_cancellation(error);
    error_ = std::move(error);
    settle(cancelled ? status::cancelled : status::error);
}

void future_state::settle_failed(std::exception_ptr error) noexcept {
    error_ = std::move(error);
    settle(status::error);
}

bool future_state::cancel(const std::string& message) { return cancel_walk().ask(*this, message); }

future_state::cancel_step future_state::continue_cancel(const std::string&, bool accepted) {
    return {.accepted = accepted};
}
bool future_state::cancel_again(const std::string&) { return !done(); }

future_state::cancel_step future_state::cancel_now(const std::string& message) {
    if (done()) return {};
    settle_error(cancellation(message, nullptr));
    return {.accepted = true};
}

void future_state::require_value() {
    if (!done()) throw invalid_state_error(label() + " is not done");
    observed_ = true;
    if (error_) std::rethrow_exception(error_);
    if (value_taken) throw invalid_state_error("the value of " + label() + " was taken before");
}

/// Nobody has looked at its error. False: the exception handler kept a handle.
bool future_state::release_unobserved() noexcept {
    references_ = 1;
    report_unobserved();
    return --references_ == 0;
}

void future_state::report_unobserved() noexcept {
    observed_ = true;
    const std::string message = label() + " failed and nobody looked at its exception";
    if (loop_access::is_open(loop_)) {
        loop_access::report(*loop_, {.message = message, .exception = error_, .future = this});
        return;
    }
    report_line(message + " (made at " + created_at_.file_name() + ":" + std::to_string(created_at_.line()) +
                "): " + describe_exception(error_));
}

} // namespace rondo::detail
