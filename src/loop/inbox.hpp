// What other threads hand to a loop: a lock-free stack that the loop takes whole, and a flag that says whether it sleeps.
//
// The invariant: when the loop sleeps, every node that was pushed before it went to sleep has been taken, and whoever
// pushes the next one sees the flag and wakes it. Both sides write one variable and then read the other's, sequentially
// consistent, so at least one of them sees the other.
#pragma once

#include <rondo/loop/detail/ready_queue.hpp>

#include <atomic>

namespace rondo::detail {

class inbox {
public:
    /// Any thread. True: the loop was about to sleep or asleep, and the caller must wake it.
    bool push(ready_node& node) noexcept {
        ready_node* head = head_.load(std::memory_order_relaxed);
        do node.next = head;
        while (!head_.compare_exchange_weak(head, &node, std::memory_order_seq_cst, std::memory_order_relaxed));
        return must_wake();
    }
    /// Any thread, and signal handlers: the loop has something to look at that is not in here.
    bool must_wake() noexcept { return asleep_.load() && asleep_.exchange(false); }

    /// The loop's thread. What another one has just pushed may be missed: the next look sees it.
    bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }
    /// The loop's thread: moves everything, oldest first.
    void take(ready_queue& into) noexcept {
        if (empty()) return;
        ready_node* newest = head_.exchange(nullptr, std::memory_order_acquire);
        ready_node* oldest = nullptr;
        while (newest) {
            ready_node* next = newest->next;
            newest->next = oldest;
            oldest = newest;
            newest = next;
        }
        while (oldest) {
            ready_node* next = oldest->next;
            oldest->next = nullptr;
            into.push(*oldest);
            oldest = next;
        }
    }

    /// The loop's thread, before it waits. False: there is something to take, do not sleep.
    bool fall_asleep() noexcept {
        asleep_.store(true);
        if (head_.load() == nullptr) return true;
        asleep_.store(false);
        return false;
    }
    /// Any thread.
    bool asleep() const noexcept { return asleep_.load(std::memory_order_relaxed); }
    void wake_up() noexcept { asleep_.store(false, std::memory_order_relaxed); }

private:
    std::atomic<ready_node*> head_{nullptr};
    std::atomic<bool> asleep_{false};
};

} // namespace rondo::detail
