// Waiting in line: what locks, semaphores, events, conditions, barriers, limiters, queues and channels have in common.
//
// A task that has to wait stands in a line, first come, first served. Whoever has something to give (a lock, a permit, an
// item, room for one) promises it to the first in the line: the awaiter moves to a second line, of those who were promised
// something and have not resumed yet, and is settled. When the task resumes it takes what it was promised. So the object
// always knows what is on its way to whom: a cancelled task gives its promise back, nobody overtakes a task that was
// promised something, and nothing is lost with a frame that is torn down.
#pragma once

#include <rondo/task/detail/awaiter.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace rondo::detail {

class line;

/// An awaiter that stands in at most one line.
class waiter : public awaiter {
public:
    /// It waits: leaves the line, settles as cancelled.
    cancel_outcome cancel(const std::string& message) noexcept override;

protected:
    waiter() noexcept = default;
    waiter(waiter&& other) noexcept : awaiter(std::move(other)) {}
    inline ~waiter();

    inline void leave_line() noexcept;
    bool stands_in(const line& l) const noexcept { return line_ == &l; }
    /// Its object died before it resumed, and must not be touched any more.
    bool is_abandoned() const noexcept { return abandoned_; }
    /// The error of one that is abandoned, or null.
    std::exception_ptr abandonment() const noexcept;

private:
    friend class line;
    line* line_ = nullptr;
    waiter* next_ = nullptr;
    waiter* previous_ = nullptr;
    bool abandoned_ = false;
};

/// First in, first out; a waiter may leave from anywhere. O(1) each, no allocation. Belongs to one loop's thread.
class line {
public:
    line() = default;
    line(const line&) = delete;
    line& operator=(const line&) = delete;
    /// Whoever still stands here is told, by an error, that what he waited for is gone.
    ~line();

    bool empty() const noexcept { return first_ == nullptr; }
    std::size_t size() const noexcept { return size_; }
    waiter* first() noexcept { return first_; }
    const waiter* first() const noexcept { return first_; }
    /// The one behind `w` in its line, or null.
    static const waiter* behind(const waiter& w) noexcept { return w.next_; }

    void push(waiter& w) noexcept {
        w.line_ = this;
        w.previous_ = last_;
        w.next_ = nullptr;
        (last_ ? last_->next_ : first_) = &w;
        last_ = &w;
        ++size_;
    }
    void remove(waiter& w) noexcept {
        (w.previous_ ? w.previous_->next_ : first_) = w.next_;
        (w.next_ ? w.next_->previous_ : last_) = w.previous_;
        w.line_ = nullptr;
        --size_;
    }
    /// The first one goes over to `promised` and is settled.
    void promise_first(line& promised) noexcept {
        waiter& w = *first_;
        remove(w);
        promised.push(w);
        w.settle();
    }
    /// The first one goes over to the end of `other` and waits on.
    void move_first(line& other) noexcept;
    /// The first one leaves and is settled.
    void dismiss_first() noexcept;
    /// Everybody is settled, with nothing.
    void dismiss_all() noexcept {
        dismiss_if([](waiter&) { return true; });
    }
    /// Those are settled, with nothing, for whom `leaves(waiter&)` is true. It must not change the line.
    template <class F> void dismiss_if(F leaves) noexcept {
        for (waiter* w = first_; w;) {
            waiter& current = *std::exchange(w, w->next_);
            if (leaves(current)) dismiss(current);
        }
    }
    /// Takes back what those who stand here were promised; they are settled already.
    void revoke_all() noexcept;

    /// Debug mode: runtime_error in another thread than that of the tasks that wait.
    void check_thread() const;

private:
    void dismiss(waiter& w) noexcept;

    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
    std::size_t size_ = 0;
};

inline void waiter::leave_line() noexcept {
    if (line_) line_->remove(*this);
}
inline waiter::~waiter() { leave_line(); }

} // namespace rondo::detail
