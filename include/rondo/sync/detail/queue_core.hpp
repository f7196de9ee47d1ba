// What a queue does, whatever its items are: it counts them, and keeps the lines of those who wait to get, put and join.
#pragma once

#include <rondo/sync/capacity.hpp>
#include <rondo/sync/detail/loop_binding.hpp>
#include <rondo/sync/detail/waiter.hpp>

#include <cstddef>
#include <exception>
#include <string>

namespace rondo::detail {

/// An item that was promised to a getter has left the queue for everybody else, but lies in it until the getter resumes: if
/// that is cancelled, the item is where it was. A place that was promised to a putter is taken; its item comes when the putter
/// resumes, so a put that was cancelled has put nothing.
///
///     items = available + promised to getters
///     nobody waits to get while an item is available, nobody waits to put while a place is
class queue_core {
public:
    explicit queue_core(capacity maxsize);
    queue_core(const queue_core&) = delete;
    queue_core& operator=(const queue_core&) = delete;
    ~queue_core() = default;

    capacity maxsize() const noexcept { return maxsize_; }
    std::size_t available() const noexcept { return items_ - promised_items_.size(); }
    bool full() const noexcept { return available() + promised_places_.size() >= maxsize_.value(); }
    bool is_shut_down() const noexcept { return shut_down_; }
    /// Nothing will come any more: what was promised to a getter may still come back.
    bool is_drained() const noexcept { return shut_down_ && items_ == 0; }

    /// Before a change from outside.
    void check_thread() const {
        getters_.check_thread();
        putters_.check_thread();
    }
    /// The queue has one item more, or less.
    void added() noexcept {
        ++items_;
        ++unfinished_;
        if (!getters_.empty()) serve();
    }
    void removed() noexcept {
        --items_;
        if (!putters_.empty() || shut_down_) serve();
    }
    /// Whoever comes now overtakes nobody.
    bool can_get_at_once() const noexcept { return items_ > 0 && promised_items_.empty(); }
    bool can_put_at_once() const noexcept {
        return items_ < maxsize_.value() && promised_items_.empty() && promised_places_.empty() && !shut_down_;
    }

    void task_done();
    void shut_down() noexcept;
    /// Nothing that is in the queue counts any more.
    void drop() noexcept;

private:
    friend class queue_getter;
    friend class queue_putter;
    friend class queue_joiner;
    void serve() noexcept;
    void bind(event_loop& loop);
    std::string level() const;

    capacity maxsize_;
    std::size_t items_ = 0;
    std::size_t unfinished_ = 0;
    bool shut_down_ = false;
    line getters_;
    line putters_;
    line joiners_;
    line promised_items_;
    line promised_places_;
    loop_binding bound_;
};

/// Waits for an item.
class queue_getter : public waiter {
public:
    std::string describe() const override;

protected:
    explicit queue_getter(queue_core& of) noexcept : core_(&of) {}
    queue_getter(queue_getter&& other) noexcept = default;
    ~queue_getter() { give_back(); }

    bool try_now();
    void enqueue() noexcept;
    /// The interruption, or the error of a queue that is gone.
    std::exception_ptr interruption() noexcept {
        if (!interruption_pending() && !is_abandoned()) [[likely]]
            return nullptr;
        return find_interruption();
    }
    /// False: there will be none, the queue is shut down.
    bool has_item() const noexcept { return stands_in(core_->promised_items_); }
    /// The item was taken out.
    void keep() noexcept {
        core_->promised_items_.remove(*this);
        core_->removed();
    }
    /// The item stays. Nothing, when nothing is promised.
    void give_back() noexcept {
        if (has_item()) [[unlikely]]
            return_item();
    }

    queue_core* core_;

private:
    std::exception_ptr find_interruption() noexcept;
    void return_item() noexcept;
};

/// Waits for room.
class queue_putter : public waiter {
public:
    std::string describe() const override;

protected:
    explicit queue_putter(queue_core& of) noexcept : core_(&of) {}
    queue_putter(queue_putter&& other) noexcept = default;
    ~queue_putter() { give_back(); }

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept {
        if (!interruption_pending() && !is_abandoned() && !core_->is_shut_down()) [[likely]]
            return nullptr;
        return find_failure();
    }
    /// The item was put in.
    void keep() noexcept {
        core_->promised_places_.remove(*this);
        core_->added();
    }
    /// There is none. Nothing, when nothing is promised.
    void give_back() noexcept {
        if (stands_in(core_->promised_places_)) [[unlikely]]
            return_place();
    }

    queue_core* core_;

private:
    std::exception_ptr find_failure() noexcept;
    void return_place() noexcept;
};

/// Waits until every item is done.
class [[nodiscard]] queue_joiner final : public leaf_awaiter<queue_joiner, void, waiter> {
    using base = leaf_awaiter<queue_joiner, void, waiter>;
    friend base;

public:
    explicit queue_joiner(queue_core& of) noexcept : core_(&of) {}
    std::string describe() const override;

private:
    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept;
    void value() const noexcept {}

    queue_core* core_;
};

} // namespace rondo::detail
