// What a context holds, and where the current one is kept.
#pragma once

#include <rondo/loop/detail/counted_ptr.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace rondo::detail {

struct context_map;

/// A shared, immutable map, replaced on every change. A context belongs to one thread at a time; the map is shared between
/// contexts, and so between threads: its count is atomic.
class context_state {
public:
    std::uint32_t references = 1;
    bool entered = false;                      // by context::run
    std::shared_ptr<const context_map> values; // null: empty
};

using context_ref = counted_ptr<context_state>;
void destroy(context_state& c) noexcept;
inline void retain(context_state& c) noexcept { ++c.references; }
inline void release(context_state& c) noexcept {
    if (--c.references == 0) destroy(c);
}

/// Where the current context is kept; null: in the thread's own place.
extern constinit thread_local context_ref* current_context_slot;

/// The context that runs now: a task's, a callback's or, outside of both, the thread's own. Null inside means empty: a
/// program that sets no variable never makes one.
context_state* current_context() noexcept;
context_ref share_current_context() noexcept;

/// A copy of the current context, or null when that is empty. O(1).
context_ref fork_context_slowly();
inline context_ref fork_context() {
    if (current_context_slot) [[likely]] {
        const context_state* const now = current_context_slot->get();
        if (!now || !now->values) [[likely]]
            return {};
    }
    return fork_context_slowly();
}

/// While it lives, `slot` is where the current context is kept.
class context_switch {
public:
    explicit context_switch(context_ref& slot) noexcept : before_(std::exchange(current_context_slot, &slot)) {}
    context_switch(const context_switch&) = delete;
    context_switch& operator=(const context_switch&) = delete;
    ~context_switch() { current_context_slot = before_; }

private:
    context_ref* before_;
};

} // namespace rondo::detail
