// A stretch of code that nobody can tear: cleanup, and what must be taken back before an error may go on.
#pragma once

#include <rondo/task/detail/scope_tree.hpp>

#include <exception>

namespace rondo::detail {

class task_record;

/// While it lives, in a coroutine, neither task::cancel() nor a scope reaches the task; scopes inside it do. What arrives
/// meanwhile is delivered at the first suspension after its end.
class uninterrupted {
public:
    /// runtime_error when no task runs.
    uninterrupted();
    uninterrupted(const uninterrupted&) = delete;
    uninterrupted& operator=(const uninterrupted&) = delete;
    ~uninterrupted();

    /// Ends it now. The task::cancel() that arrived meanwhile, taken: the caller throws it. Or null.
    std::exception_ptr end();

private:
    void leave() noexcept;
    task_record* task_;
    scope_node shield_;
};

} // namespace rondo::detail
