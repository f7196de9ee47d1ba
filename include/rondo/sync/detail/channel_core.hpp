// What a channel does, whatever its items are: it counts them and its ends, and keeps the lines of those who wait.
#pragma once

#include <rondo/coro/frame.hpp>
#include <rondo/sync/capacity.hpp>
#include <rondo/sync/channel_statistics.hpp>
#include <rondo/sync/detail/loop_binding.hpp>
#include <rondo/sync/detail/waiter.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace rondo::detail {

class channel_end;
class channel_sender;

/// A sender that waits keeps its item in its frame; it is admitted, and has sent, at the moment when there is room for the item
/// or a receiver that waits for it. An item that was promised to a receiver has left the channel for everybody else, but
/// lies in it until the receiver resumes: if that is cancelled, the item is next again.
///
///     items = available + promised to receivers
///     nobody waits to receive while an item is available or a sender waits, nobody waits to send while there is room
///
/// Owned by the ends and by the operations that are under way.
class channel_core {
public:
    explicit channel_core(capacity room) noexcept : capacity_(room) {}
    channel_core(const channel_core&) = delete;
    channel_core& operator=(const channel_core&) = delete;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) destroy();
    }

    bool has_receivers() const noexcept { return open_receivers_ > 0; }
    channel_statistics statistics() const noexcept;

    std::size_t available() const noexcept { return items_ - promised_.size(); }
    /// Room in the buffer, or somebody who waits for an item.
    bool has_room() const noexcept { return available() < capacity_.value() || !receivers_.empty(); }
    /// No item will come any more.
    bool is_over() const noexcept { return open_senders_ == 0 && items_ == 0; }
    /// True: there is an item to take. It may come from a sender's hand.
    bool obtain() noexcept;
    /// There is one item more, or less.
    void added() noexcept;
    void removed() noexcept;
    /// Before a change from outside.
    void check_thread() const;

protected:
    virtual ~channel_core() = default;

private:
    friend class channel_end;
    friend class channel_sender;
    friend class channel_receiver;
    virtual void destroy() noexcept = 0;
    virtual void destroy_items() noexcept = 0;
    void close_sender(const channel_end& end) noexcept;
    void close_receiver(const channel_end& end) noexcept;
    void serve() noexcept;
    void admit_first() noexcept;
    void taken() noexcept;
    void bind(event_loop& loop);
    std::string level() const;

    std::uint32_t references_ = 1;
    capacity capacity_;
    std::size_t items_ = 0;
    std::size_t open_senders_ = 0;
    std::size_t open_receivers_ = 0;
    line senders_;
    line receivers_;
    line promised_; // receivers
    loop_binding bound_;
};

class channel_end;
void retain(channel_end& e) noexcept;
void release(channel_end& e) noexcept;
inline void retain(channel_core& c) noexcept { c.retain(); }
inline void release(channel_core& c) noexcept { c.release(); }

/// An end, as its handle and the operations through it know it; those may be awaited after it was closed.
class channel_end {
public:
    enum class side : bool { sending, receiving };

    channel_end(counted_ptr<channel_core> of, side which) noexcept;
    channel_end(const channel_end&) = delete;
    channel_end& operator=(const channel_end&) = delete;
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) delete this;
    }

    bool is_open() const noexcept { return open_; }
    void close() noexcept;
    channel_core& core() const noexcept { return *core_; }
    /// Another one of the same side.
    counted_ptr<channel_end> clone() const { return counted_ptr<channel_end>::adopt(new channel_end(core_, side_)); }

private:
    ~channel_end() = default;

    counted_ptr<channel_core> core_;
    std::uint32_t references_ = 1;
    side side_;
    bool open_ = true;
};

inline void retain(channel_end& e) noexcept { e.retain(); }
inline void release(channel_end& e) noexcept { e.release(); }

/// Waits until its item can be sent.
class channel_sender : public waiter {
public:
    std::string describe() const override;

protected:
    explicit channel_sender(counted_ptr<channel_end> end) noexcept : end_(std::move(end)) {}
    channel_sender(channel_sender&& other) noexcept = default;
    ~channel_sender() { leave_line(); } // before the line dies with end_

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure() noexcept;

    counted_ptr<channel_end> end_; // null: the handle was moved from

private:
    friend class channel_core;
    /// Puts the item into the channel.
    virtual void hand_over() = 0;

    bool sent_ = false;
    std::exception_ptr refused_; // the item could not be moved
};

/// Waits for an item.
class channel_receiver : public waiter {
public:
    std::string describe() const override;

protected:
    explicit channel_receiver(counted_ptr<channel_end> end) noexcept : end_(std::move(end)) {}
    channel_receiver(channel_receiver&& other) noexcept = default;
    ~channel_receiver();

    bool try_now();
    void enqueue() noexcept;
    /// The interruption, or that this end is closed. Null: there is an item, or the channel is over.
    std::exception_ptr obstacle() noexcept;
    bool has_item() const noexcept { return end_ && stands_in(end_->core().promised_); }
    /// The item was taken out.
    void keep() noexcept;
    /// The item stays. Nothing, when nothing is promised.
    void give_back() noexcept;

    counted_ptr<channel_end> end_; // null: the handle was moved from

private:
    friend class channel_core;
};

} // namespace rondo::detail
