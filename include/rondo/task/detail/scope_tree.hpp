// The tree of cancel scopes: which scope lies in which, and who is inside.
#pragma once

#include <rondo/loop/clock.hpp>

#include <string>

namespace rondo::detail {

class task_record;

/// A task that was born inside a scope, as the children of a task group are.
struct scope_member {
    task_record* task = nullptr;
    scope_member* next = nullptr;
    scope_member* previous = nullptr;
};

/// A task points at its innermost scope, a scope at its parent; cancelling one visits the tasks and scopes below it, down to
/// shields. Structure changes are pointer moves.
class scope_node {
public:
    scope_node() = default;
    scope_node(const scope_node&) = delete;
    scope_node& operator=(const scope_node&) = delete;
    ~scope_node();

    /// The task's innermost scope from now on; leave() brings its parent back. What was entered later and is not left yet
    /// belongs to the parent from then on.
    void enter(task_record& host) noexcept;
    void leave() noexcept;
    bool entered() const noexcept { return host_ != nullptr; }
    task_record* host() const noexcept { return host_; }

    /// The member's task was born in this scope.
    void add(scope_member& member) noexcept;
    void remove(scope_member& member) noexcept;
    /// Everything inside but the host goes on without this scope and those around it.
    void release_inside() noexcept;

    void cancel(std::string reason) noexcept;
    bool cancel_called() const noexcept { return cancelled_; }
    const std::string& reason() const noexcept { return reason_; }
    bool shield() const noexcept { return shield_; }
    void set_shield(bool on) noexcept;
    scope_node* parent() const noexcept { return parent_; }

    time_point deadline = time_point::max();

    /// The scope, or one around it with no shield between, is cancelled.
    static bool is_cancelled(const scope_node* innermost) noexcept;
    /// The outermost cancelled one of those: everything inside it has to unwind. When a shield went up after the
    /// cancellation had been delivered, the nearest one beyond.
    static const scope_node* origin_of_cancellation(const scope_node* innermost) noexcept;

private:
    void attach_to(scope_node* parent) noexcept;
    void detach() noexcept;
    void tell_inside() noexcept;
    void tell_those_here() noexcept;

    scope_node* parent_ = nullptr;
    scope_node* children_ = nullptr;
    scope_node* next_sibling_ = nullptr;
    scope_node* previous_sibling_ = nullptr;
    scope_member* members_ = nullptr;
    task_record* host_ = nullptr;
    bool cancelled_ = false;
    bool shield_ = false;
    std::string reason_;
};

} // namespace rondo::detail
