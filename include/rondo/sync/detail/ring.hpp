// A growing ring of items: first in, first out.
#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace rondo::detail {

/// Doubles its room when it is full and never gives any back: from its largest size on it allocates nothing. What moving an
/// item throws leaves the ring as it was, when T can be copied or its move does not throw.
template <class T> class ring {
public:
    ring() = default;
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;
    ~ring() {
        clear();
        if (room_) allocator().deallocate(items_, room_);
    }

    std::size_t size() const noexcept { return size_; }
    T& first() noexcept { return *at(0); }

    template <class U> void push(U&& item) {
        if (size_ == room_) grow(std::forward<U>(item));
        else std::construct_at(at(size_), std::forward<U>(item));
        ++size_;
    }
    T take() {
        assert(size_ > 0);
        T item = std::move(*at(0));
        drop_first();
        return item;
    }
    void clear() noexcept {
        while (size_ > 0) drop_first();
    }

private:
    using allocator = std::allocator<T>;
    static constexpr std::size_t first_room = 8;

    T* at(std::size_t index) noexcept { return items_ + ((head_ + index) & (room_ - 1)); }
    void drop_first() noexcept {
        std::destroy_at(at(0));
        head_ = (head_ + 1) & (room_ - 1);
        --size_;
    }
    /// The new item first: it may refer to one of the others, and it is what throws most likely.
    template <class U> void grow(U&& item) {
        const std::size_t room = room_ ? room_ * 2 : first_room;
        T* const items = allocator().allocate(room);
        std::size_t moved = 0;
        try {
            std::construct_at(items + size_, std::forward<U>(item));
            try {
                for (; moved < size_; ++moved) std::construct_at(items + moved, std::move_if_noexcept(*at(moved)));
            } catch (...) {
                std::destroy_at(items + size_);
                throw;
            }
        } catch (...) {
            std::destroy_n(items, moved);
            allocator().deallocate(items, room);
            throw;
        }
        const std::size_t size = size_;
        clear();
        if (room_) allocator().deallocate(items_, room_);
        items_ = items;
        room_ = room;
        head_ = 0;
        size_ = size;
    }

    T* items_ = nullptr;
    std::size_t room_ = 0; // 0 or a power of two
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

} // namespace rondo::detail
