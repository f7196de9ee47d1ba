// queue<T>: items that some tasks put and others get.
#pragma once

#include <rondo/sync/capacity.hpp>
#include <rondo/sync/detail/queue_core.hpp>
#include <rondo/sync/detail/queue_store.hpp>
#include <rondo/sync/errors.hpp>
#include <rondo/sync/queue_order.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace rondo {

template <class T, class Order> class queue;

namespace detail {

/// R: the item, or an optional one that is empty at the end.
template <class T, class Order, class R>
class [[nodiscard]] queue_get_awaiter final : public leaf_awaiter<queue_get_awaiter<T, Order, R>, R, queue_getter> {
    using base = leaf_awaiter<queue_get_awaiter<T, Order, R>, R, queue_getter>;
    friend base;
    static constexpr bool end_is_a_value = !std::same_as<T, R>;

public:
    queue_get_awaiter(queue_core& core, queue_store<T, Order>& items) noexcept : base(core), items_(&items) {}

    bool await_ready() {
        at_once_ = this->core_->can_get_at_once() && this->complete_at_once();
        return at_once_ || base::await_ready();
    }
    R await_resume() { return at_once_ ? take_at_once() : base::await_resume(); }
    result<R> await_result() { return at_once_ ? result<R>(take_at_once()) : base::await_result(); }

private:
    std::exception_ptr failure() noexcept {
        if (std::exception_ptr interruption = this->interruption()) return interruption;
        if (end_is_a_value || this->has_item()) [[likely]]
            return nullptr;
        return std::make_exception_ptr(queue_shut_down());
    }
    R value() {
        if constexpr (end_is_a_value) {
            if (!this->has_item()) return std::nullopt;
        }
        struct unless_kept {
            queue_get_awaiter& self;
            ~unless_kept() { self.give_back(); }
        } at_end{*this};
        R item(items_->take());
        this->keep();
        return item;
    }

    R take_at_once() {
        R item(items_->take());
        this->core_->removed();
        return item;
    }

    queue_store<T, Order>* items_;
    bool at_once_ = false; // without being promised anything first: nobody can come between
};

template <class T, class Order>
class [[nodiscard]] queue_put_awaiter final : public leaf_awaiter<queue_put_awaiter<T, Order>, void, queue_putter> {
    using base = leaf_awaiter<queue_put_awaiter<T, Order>, void, queue_putter>;
    friend base;

public:
    queue_put_awaiter(queue_core& core, queue_store<T, Order>& items, T&& item)
        : base(core), items_(&items), item_(std::move(item)) {}

    bool await_ready() {
        at_once_ = this->core_->can_put_at_once() && this->complete_at_once();
        return at_once_ || base::await_ready();
    }
    void await_resume() {
        if (at_once_) put_at_once();
        else base::await_resume();
    }
    result<void> await_result() {
        if (!at_once_) return base::await_result();
        put_at_once();
        return result<void>();
    }

private:
    void value() {
        struct unless_kept {
            queue_put_awaiter& self;
            ~unless_kept() { self.give_back(); }
        } at_end{*this};
        items_->push(std::move(item_));
        this->keep();
    }

    void put_at_once() {
        items_->push(std::move(item_));
        this->core_->added();
    }

    queue_store<T, Order>* items_;
    T item_;
    bool at_once_ = false;
};

} // namespace detail

/// A queue of at most `maxsize` items; no limit has to be asked for with rondo::unbounded. T need only be movable.
///
/// put() waits while the queue is full, get() while it is empty; neither suspends when it need not. Strict FIFO among those
/// who wait: an item goes to the task that has waited longest to get, a free place to the one that has waited longest to put,
/// and an operation that awaits does not overtake them (asyncio lets it). Both task::cancel() and scopes end a wait. A task
/// that is cancelled when it had been given an item or a place passes it on: no item is lost, and a put() that ended in an
/// error has put nothing (its item dies with it; try_put() leaves it to the caller). An item that comes back because its
/// getter was cancelled is next again, even beyond maxsize.
///
/// After shutdown() nothing can be put, and get() gives what is left, then throws queue_shut_down; an item on its way to a task
/// counts as left until that task has it.
///
/// Belongs to the first loop that makes a task wait: in another one waiting throws runtime_error; not for use between threads.
/// Destroyed while tasks wait, it fails them with runtime_error. O(1), a priority queue O(log n); room grows to the largest
/// size there ever was, after that nothing allocates. (asyncio.Queue, LifoQueue, PriorityQueue)
///
///     rondo::queue<job> jobs(100);
///     co_await jobs.put(job{...});
///     while (auto next = co_await jobs.next()) { work(*next); jobs.task_done(); }
template <class T, class Order = fifo_order> class queue {
    static_assert(std::same_as<T, std::remove_cvref_t<T>> && std::move_constructible<T>,
                  "a queue holds movable values");

public:
    /// 0: value_error.
    explicit queue(capacity maxsize, Order order = {}) : core_(maxsize), items_(std::move(order)) {}
    queue(const queue&) = delete;
    queue& operator=(const queue&) = delete;
    ~queue() = default;

    /// Shut down, also while it waits: queue_shut_down.
    detail::queue_put_awaiter<T, Order> put(T item) { return {core_, items_, std::move(item)}; }
    /// Shut down and drained: queue_shut_down.
    detail::queue_get_awaiter<T, Order, T> get() noexcept { return {core_, items_}; }
    /// get(), but nullopt once shut down and drained.
    detail::queue_get_awaiter<T, Order, std::optional<T>> next() noexcept { return {core_, items_}; }

    /// queue_full, queue_shut_down.
    void put_nowait(T item) {
        if (core_.is_shut_down()) throw queue_shut_down();
        if (!try_put(std::move(item))) throw queue_full();
    }
    /// queue_empty; shut down and drained: queue_shut_down.
    T get_nowait() {
        if (!empty()) return take();
        if (core_.is_drained()) throw queue_shut_down();
        throw queue_empty();
    }
    /// False: no room, or shut down; `item` is left as it was.
    bool try_put(T&& item) { return push(std::move(item)); }
    bool try_put(const T& item)
        requires std::copy_constructible<T>
    {
        return push(item);
    }
    /// nullopt: nothing to get.
    std::optional<T> try_get() {
        if (empty()) return std::nullopt;
        return take();
    }

    /// The items that nobody has been promised.
    std::size_t qsize() const noexcept { return core_.available(); }
    /// get_nowait() would find nothing.
    bool empty() const noexcept { return core_.available() == 0; }
    /// put_nowait() would find no room. Never, when unbounded.
    bool full() const noexcept { return core_.full(); }
    capacity maxsize() const noexcept { return core_.maxsize(); }

    /// One item that was put has been dealt with. More often than put(): value_error.
    void task_done() { core_.task_done(); }
    /// Waits until task_done() was called for every item; does not suspend when there is none to wait for.
    detail::queue_joiner join() noexcept { return detail::queue_joiner(core_); }

    /// Ends those who wait with queue_shut_down. `immediate`: also drops the items that are left, as if they were done; join()
    /// may still wait for those that were got before. May be called again.
    void shutdown(bool immediate = false) {
        core_.check_thread();
        if (immediate) core_.drop();
        core_.shut_down();
        if (immediate) items_.clear();
    }

private:
    template <class U> bool push(U&& item) {
        if (core_.is_shut_down() || core_.full()) return false;
        core_.check_thread();
        items_.push(std::forward<U>(item));
        core_.added();
        return true;
    }
    T take() {
        core_.check_thread();
        T item = items_.take();
        core_.removed();
        return item;
    }

    detail::queue_core core_;
    detail::queue_store<T, Order> items_;
};

/// Last in, first out.
template <class T> using lifo_queue = queue<T, lifo_order>;
/// Least first, equal ones in the order in which they were put.
template <class T, class Compare = std::less<>> using priority_queue = queue<T, priority_order<Compare>>;

} // namespace rondo
