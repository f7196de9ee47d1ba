// Operations in the order in which they were put here, linked through themselves.
#pragma once

#include <rondo/loop/detail/operation.hpp>

namespace rondo::detail {

/// Owns nothing. An operation is in at most one list. O(1).
class operation_list {
public:
    bool empty() const noexcept { return head_ == nullptr; }
    operation* front() const noexcept { return head_; } // and on by operation::next

    void push_back(operation& op) noexcept {
        op.next = nullptr;
        op.previous = tail_;
        (tail_ ? tail_->next : head_) = &op;
        tail_ = &op;
    }
    void erase(operation& op) noexcept {
        (op.previous ? op.previous->next : head_) = op.next;
        (op.next ? op.next->previous : tail_) = op.previous;
        op.next = op.previous = nullptr;
    }
    operation& pop_front() noexcept {
        operation& op = *head_;
        erase(op);
        return op;
    }

private:
    operation* head_ = nullptr;
    operation* tail_ = nullptr;
};

} // namespace rondo::detail
