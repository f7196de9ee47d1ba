// Where the items of a queue lie, one form for each order: push(), take() the next one, clear().
#pragma once

#include <rondo/sync/detail/ring.hpp>
#include <rondo/sync/queue_order.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace rondo::detail {

template <class T, class Order> class queue_store;

template <class T> class queue_store<T, fifo_order> : public ring<T> {
public:
    explicit queue_store(fifo_order) noexcept {}
};

template <class T> class queue_store<T, lifo_order> {
public:
    explicit queue_store(lifo_order) noexcept {}
    template <class U> void push(U&& item) { items_.push_back(std::forward<U>(item)); }
    T take() {
        T item = std::move(items_.back());
        items_.pop_back();
        return item;
    }
    void clear() noexcept { items_.clear(); }

private:
    std::vector<T> items_;
};

template <class T, class Compare> class queue_store<T, priority_order<Compare>> {
public:
    explicit queue_store(priority_order<Compare> order) : order_(std::move(order)) {}
    template <class U> void push(U&& item) {
        items_.push_back(entry{std::forward<U>(item), next_});
        ++next_;
        std::push_heap(items_.begin(), items_.end(), later());
    }
    T take() {
        std::pop_heap(items_.begin(), items_.end(), later());
        T item = std::move(items_.back().item);
        items_.pop_back();
        return item;
    }
    void clear() noexcept { items_.clear(); }

private:
    struct entry {
        T item;
        std::uint64_t number;
    };
    auto later() const noexcept {
        return [this](const entry& a, const entry& b) {
            if (std::invoke(order_.compare, b.item, a.item)) return true;
            return a.number > b.number && !std::invoke(order_.compare, a.item, b.item);
        };
    }

    std::vector<entry> items_; // a heap: the next one in front
    std::uint64_t next_ = 0;
    [[no_unique_address]] priority_order<Compare> order_;
};

} // namespace rondo::detail
