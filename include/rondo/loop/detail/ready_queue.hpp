// What is ready to run: an intrusive FIFO. Tasks and callbacks are its nodes.
#pragma once

#include <rondo/coro/invariant.hpp>

#include <cstdint>
#include <utility>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// A node is in at most one queue, at most once. `run` is called by the loop, after the node has left the queue; it may
/// free the node.
struct ready_node {
    using function = void (*)(ready_node&, event_loop&);
    explicit ready_node(function f) noexcept : run(f) {}

    ready_node* next = nullptr;
    function run;
};

/// First in, first out. O(1), no allocation. Owns nothing.
class ready_queue {
public:
    bool empty() const noexcept { return head_ == nullptr; }
    ready_node* front() const noexcept { return head_; }
    ready_node* back() const noexcept { return tail_; }

    void push(ready_node& node) noexcept {
        require_invariant(node.next == nullptr && &node != tail_, "a node is in the ready queue at most once");
        const bool first = !tail_;
        (first ? head_ : tail_->next) = &node;
        tail_ = &node;
        if (first && told_) [[unlikely]]
            std::exchange(told_, nullptr)(who_);
    }
    ready_node& pop() noexcept {
        ready_node& node = *head_;
        head_ = node.next;
        if (!head_) tail_ = nullptr;
        node.next = nullptr;
        return node;
    }

    /// The front will be run next.
    void prefetch_front() const noexcept {
        const auto at = reinterpret_cast<std::uintptr_t>(head_);
        __builtin_prefetch(reinterpret_cast<const void*>(at));      // NOLINT(performance-no-int-to-ptr)
        __builtin_prefetch(reinterpret_cast<const void*>(at + 64)); // NOLINT(performance-no-int-to-ptr)
    }

    using listener = void (*)(void*) noexcept;
    /// Calls told(who), once, when something is pushed and nothing was there. Null: no more.
    void tell_of_first(listener told, void* who) noexcept {
        told_ = told;
        who_ = who;
    }

private:
    ready_node* head_ = nullptr;
    ready_node* tail_ = nullptr;
    listener told_ = nullptr;
    void* who_ = nullptr;
};

} // namespace rondo::detail
