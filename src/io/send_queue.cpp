#include "io/send_queue.hpp"

#include "loop/buffer_pool.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace rondo::detail {

/// The head of a block; its bytes follow.
struct send_queue::chunk : outgoing {
    std::size_t capacity;
    std::size_t used;

    std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
    std::size_t room() const noexcept { return capacity - sizeof(chunk) - used; }

    static chunk* make(std::size_t bytes_wanted) {
        std::size_t capacity = sizeof(chunk) + bytes_wanted;
        void* block = allocate_buffer(capacity);
        auto* made = ::new (block) chunk{};
        made->capacity = capacity;
        made->used = 0;
        made->now = {made->bytes(), 0};
        return made;
    }
    static void free(chunk* c) noexcept {
        const std::size_t capacity = c->capacity;
        std::destroy_at(c);
        free_buffer(reinterpret_cast<std::byte*>(c), capacity);
    }
};

namespace {

// A chunk that is not the only one has room for the small writes that follow it.
constexpr std::size_t chunk_bytes = 4000;

} // namespace

send_queue::~send_queue() { clear(); }

send_queue::chunk* send_queue::open_chunk() const noexcept {
    return tail_ && !tail_->owner ? static_cast<chunk*>(tail_) : nullptr;
}

void send_queue::append(outgoing& o) noexcept {
    o.next = nullptr;
    (tail_ ? tail_->next : head_) = &o;
    tail_ = &o;
}

void send_queue::copy(std::span<const bytes_view> pieces) {
    std::size_t total = 0;
    for (const bytes_view& piece : pieces) total += piece.size();
    if (total == 0) return;
    chunk* to = open_chunk();
    if (!to || to->room() < total) {
        to = chunk::make(head_ ? std::max(total, chunk_bytes) : total);
        append(*to);
    }
    // The front of the chunk may be with the kernel; what is added comes behind it.
    for (const bytes_view& piece : pieces) {
        if (piece.empty()) continue;
        std::memcpy(to->bytes() + to->used, piece.data(), piece.size());
        to->used += piece.size();
    }
    to->now = {to->now.data(), to->now.size() + total};
    size_ += total;
}

void send_queue::push(outgoing& borrowed) noexcept {
    append(borrowed);
    size_ += borrowed.now.size();
    for (const bytes_view& piece : borrowed.later) size_ += piece.size();
}

void send_queue::remove(outgoing& borrowed) noexcept {
    outgoing* previous = nullptr;
    for (outgoing* o = head_; o != &borrowed; o = o->next) previous = o;
    (previous ? previous->next : head_) = borrowed.next;
    if (tail_ == &borrowed) tail_ = previous;
    size_ -= borrowed.now.size();
    for (const bytes_view& piece : borrowed.later) size_ -= piece.size();
}

void send_queue::pop_front() noexcept {
    outgoing* first = head_;
    head_ = first->next;
    if (!head_) tail_ = nullptr;
    if (first->owner) first->owner->released();
    else chunk::free(static_cast<chunk*>(first));
}

void send_queue::advance(std::size_t n) noexcept {
    size_ -= n;
    while (head_) {
        outgoing& first = *head_;
        const std::size_t part = std::min(n, first.now.size());
        first.now = {first.now.data() + part, first.now.size() - part};
        n -= part;
        if (!first.now.empty()) return;
        if (!first.later.empty()) {
            first.now = first.later.front();
            first.later = first.later.subspan(1);
        } else {
            pop_front();
        }
    }
}

void send_queue::clear() noexcept {
    size_ = 0;
    while (head_) pop_front();
}

std::size_t send_queue::gather(std::array<::iovec, most_pieces>& pieces, const outgoing*& last) const noexcept {
    std::size_t count = 0;
    const auto add = [&](bytes_view piece) {
        if (piece.empty() || count == most_pieces) return;
        pieces[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    };
    for (const outgoing* o = head_; o && count < most_pieces; o = o->next) {
        last = o;
        add(o->now);
        for (const bytes_view& piece : o->later) add(piece);
    }
    return count;
}

} // namespace rondo::detail
