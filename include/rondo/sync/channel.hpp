// channel<T>: a pipe for items with two kinds of ends, which can be given away, cloned and closed (Trio's memory channels).
#pragma once

#include <rondo/sync/capacity.hpp>
#include <rondo/sync/channel_statistics.hpp>
#include <rondo/sync/detail/channel_core.hpp>
#include <rondo/sync/detail/ring.hpp>
#include <rondo/sync/errors.hpp>

#include <concepts>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

template <class T> class channel_state final : public channel_core {
    static_assert(std::same_as<T, std::remove_cvref_t<T>> && std::move_constructible<T>,
                  "a channel holds movable values");

public:
    using channel_core::channel_core;
    ring<T> items;

private:
    void destroy() noexcept override { delete this; }
    void destroy_items() noexcept override { items.clear(); }
};

template <class T> channel_state<T>& state_of(const channel_end& end) noexcept {
    return static_cast<channel_state<T>&>(end.core());
}

template <class T>
class [[nodiscard]] channel_send_awaiter final : public leaf_awaiter<channel_send_awaiter<T>, void, channel_sender> {
    using base = leaf_awaiter<channel_send_awaiter<T>, void, channel_sender>;
    friend base;

public:
    channel_send_awaiter(counted_ptr<channel_end> end, T&& item) : base(std::move(end)), item_(std::move(item)) {}

private:
    void hand_over() override { state_of<T>(*this->end_).items.push(std::move(item_)); }
    void value() const noexcept {}

    T item_;
};

/// R: the item, or an optional one that is empty at the end.
template <class T, class R>
class [[nodiscard]] channel_receive_awaiter final
    : public leaf_awaiter<channel_receive_awaiter<T, R>, R, channel_receiver> {
    using base = leaf_awaiter<channel_receive_awaiter<T, R>, R, channel_receiver>;
    friend base;
    static constexpr bool end_is_a_value = !std::same_as<T, R>;

public:
    explicit channel_receive_awaiter(counted_ptr<channel_end> end) noexcept : base(std::move(end)) {}

private:
    std::exception_ptr failure() noexcept {
        if (std::exception_ptr obstacle = this->obstacle()) return obstacle;
        if (end_is_a_value || this->has_item()) return nullptr;
        return std::make_exception_ptr(end_of_channel());
    }
    R value() {
        if constexpr (end_is_a_value) {
            if (!this->has_item()) return std::nullopt;
        }
        struct unless_kept {
            channel_receive_awaiter& self;
            ~unless_kept() { self.give_back(); }
        } at_end{*this};
        R item(state_of<T>(*this->end_).items.take());
        this->keep();
        return item;
    }
};

/// What the handles of both sides do alike. Move-only; its end closes it.
class channel_handle {
public:
    /// Idempotent.
    void close() noexcept {
        if (end_) end_->close();
    }
    /// Of the whole channel; also when this end is closed. Moved from: closed_channel.
    channel_statistics statistics() const {
        if (!end_) throw closed_channel();
        return end_->core().statistics();
    }

protected:
    explicit channel_handle(counted_ptr<channel_end> end) noexcept : end_(std::move(end)) {}
    channel_handle(channel_handle&& other) noexcept = default;
    channel_handle& operator=(channel_handle&& other) noexcept {
        if (this == &other) return *this;
        close();
        end_ = std::move(other.end_);
        return *this;
    }
    ~channel_handle() { close(); }

    const counted_ptr<channel_end>& end() const noexcept { return end_; }
    /// closed_channel, when it is; in debug mode runtime_error in another thread.
    channel_end& open_end() const {
        if (!end_ || !end_->is_open()) throw closed_channel();
        end_->core().check_thread();
        return *end_;
    }

private:
    counted_ptr<channel_end> end_; // null: moved from
};

} // namespace detail

template <class T> struct channel;

/// The end of a channel<T> into which items are sent. Move-only; it is closed at the end of its life.
///
/// close(): what waits in send() through this end throws closed_channel. Closing the last one ends the channel for the
/// receivers, as soon as they have what was sent.
template <class T> class send_channel : public detail::channel_handle {
public:
    /// No receiver left, also while it waits: broken_channel. This end closed, also while it waits: closed_channel.
    detail::channel_send_awaiter<T> send(T item) { return {end(), std::move(item)}; }
    /// would_block, broken_channel, closed_channel.
    void send_nowait(T item) {
        auto& state = detail::state_of<T>(open_end());
        if (!state.has_receivers()) throw broken_channel();
        if (!state.has_room()) throw would_block();
        state.items.push(std::move(item));
        state.added();
    }
    /// Another end of the same channel, which is closed on its own. closed_channel.
    [[nodiscard]] send_channel clone() const { return send_channel(open_end().clone()); }

private:
    friend struct channel<T>;
    using channel_handle::channel_handle;
};

/// The end of a channel<T> from which items are received. Move-only; it is closed at the end of its life.
///
/// close(): what waits in receive() and next() through this end throws closed_channel. Closing the last one breaks the channel
/// for the senders, and destroys what nobody has received.
template <class T> class receive_channel : public detail::channel_handle {
public:
    /// No sender left and everything received: end_of_channel. This end closed, also while it waits: closed_channel.
    detail::channel_receive_awaiter<T, T> receive() { return detail::channel_receive_awaiter<T, T>(end()); }
    /// receive(), but nullopt at the end of the channel. For loops, and RONDO_FOR_AWAIT(item, receiver).
    detail::channel_receive_awaiter<T, std::optional<T>> next() {
        return detail::channel_receive_awaiter<T, std::optional<T>>(end());
    }
    /// would_block, end_of_channel, closed_channel.
    T receive_nowait() {
        auto& state = detail::state_of<T>(open_end());
        if (!state.obtain()) {
            if (state.is_over()) throw end_of_channel();
            throw would_block();
        }
        T item = state.items.take();
        state.removed();
        return item;
    }
    /// Another end of the same channel, which is closed on its own: each item goes to one of them. closed_channel.
    [[nodiscard]] receive_channel clone() const { return receive_channel(open_end().clone()); }

private:
    friend struct channel<T>;
    using channel_handle::channel_handle;
};

/// A channel for items that need only be movable, with room for `capacity` of them; rondo::unbounded has to be said. It is
/// made of its two ends: give each to whom it belongs, clone() it for others. With the last end of one side the other side
/// ends: that is how a consumer knows that its producers are done, and a producer that nobody listens.
///
/// send() waits while there is no room, receive() while there is nothing; neither suspends when it need not. With capacity 0
/// they meet: send() waits for a receiver, receive() for a sender. Strict FIFO: items leave in the order in which they were
/// sent, to the task that has waited longest. Both task::cancel() and scopes end a wait. A send() that ends in an error has sent
/// nothing; one whose item was taken returns, and a cancellation that comes at that moment is for the next suspension. A task
/// that is cancelled by task::cancel() when it had been given an item passes it on: to who waits, or the item is next again,
/// even beyond the capacity.
///
/// Ends and operations may outlive each other. Belongs to the first loop that makes a task wait: in another one waiting throws
/// runtime_error; not for use between threads. O(1), closing an end O(tasks that wait); a small block for the channel and
/// each end, and room that grows to the largest size there ever was. (trio.open_memory_channel)
///
///     auto [tx, rx] = rondo::channel<int>(8);
///     rondo::spawn(producer, std::move(tx));
///     while (auto item = co_await rx.next()) use(*item);
template <class T> struct channel {
    explicit channel(rondo::capacity capacity)
        : channel(detail::counted_ptr<detail::channel_core>::adopt(new detail::channel_state<T>(capacity))) {}

    send_channel<T> tx;
    receive_channel<T> rx;

private:
    using end = detail::channel_end;
    explicit channel(const detail::counted_ptr<detail::channel_core>& state)
        : tx(detail::counted_ptr<end>::adopt(new end(state, end::side::sending))),
          rx(detail::counted_ptr<end>::adopt(new end(state, end::side::receiving))) {}
};

} // namespace rondo
