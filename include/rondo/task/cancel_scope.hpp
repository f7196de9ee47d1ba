// cancel_scope: a region of code that can be cancelled as a whole, with a deadline and a shield (Trio's cancel scopes).
#pragma once

#include <rondo/coro/detail/or_end.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/detail/spawn_arguments.hpp>
#include <rondo/loop/detail/timer.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/scope_tree.hpp>
#include <rondo/task/detail/start_body.hpp>

#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <variant>

namespace rondo {

namespace detail {
class group_core;
}

struct cancel_scope_options {
    rondo::deadline deadline = std::nullopt;
    bool shield = false;
    std::source_location where = std::source_location::current();
};

/// Level-triggered: once cancelled, every suspension inside the scope, in the task that entered it and in the children of
/// task groups inside it, ends with cancelled_error, until the scope is left. A scope never takes away a value that was
/// given already. A shield hides the cancellation of the scopes around it (not its own, and not a task::cancel()).
/// The scope absorbs its own cancellation, and no other, where its body ends.
///
/// Used once; belongs to the task that runs it, and its loop's thread: debug mode throws runtime_error on a violation. Entering
/// and leaving are pointer moves; cancel() costs a visit of the tasks and scopes inside.
///
///     rondo::cancel_scope scope({.deadline = rondo::clock::now() + 2s});
///     auto answer = co_await scope.run([&]() -> rondo::coro<int> { ... });      // nullopt: it took too long
class cancel_scope {
public:
    cancel_scope();
    explicit cancel_scope(cancel_scope_options options);
    cancel_scope(const cancel_scope&) = delete;
    cancel_scope& operator=(const cancel_scope&) = delete;
    ~cancel_scope();

    /// The value of the body, or nullopt when the scope absorbed its own cancellation; a void body gives monostate. What
    /// else the body throws goes on. A second time: runtime_error.
    template <class F> coro<std::optional<non_void_t<body_t<F, cancel_scope>>>> run(F body) {
        using T = body_t<F, cancel_scope>;
        enter();
        auto outcome = co_await as_result(detail::start_body(body, *this));
        if (exit(outcome.error())) co_return std::nullopt;
        co_await detail::or_end(outcome);
        if constexpr (std::is_void_v<T>) co_return std::monostate();
        else co_return std::move(outcome).value();
    }

    /// Idempotent. From the loop's thread; before entering too.
    void cancel(std::string reason = {}) {
        detail::check_thread(loop_);
        node_.cancel(std::move(reason));
    }
    bool cancel_called() const noexcept { return node_.cancel_called(); }
    bool cancelled_caught() const noexcept { return caught_; }
    /// Movable while the scope is active; one in the past cancels at once.
    void set_deadline(rondo::deadline when);
    rondo::deadline deadline() const noexcept;
    bool shield() const noexcept { return node_.shield(); }
    void set_shield(bool on) {
        detail::check_thread(loop_);
        node_.set_shield(on);
    }

private:
    friend class detail::group_core;
    void enter();
    /// True: the error was this scope's own cancellation.
    bool exit(const std::exception_ptr& error) noexcept;
    void arm() noexcept;

    struct deadline_timer : detail::timer_node {
        explicit deadline_timer(cancel_scope& s) noexcept : timer_node(&expired), scope(s) {}
        static void expired(timer_node& node, event_loop& loop) noexcept;
        cancel_scope& scope;
    };

    detail::scope_node node_;
    deadline_timer timer_{*this};
    event_loop* loop_ = nullptr; // while active
    bool used_ = false;
    bool caught_ = false;
};

/// The earliest deadline of the scopes around the current task's code, up to a shield; time_point::max(): none.
time_point current_effective_deadline();

} // namespace rondo
