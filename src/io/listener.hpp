// A listening socket: accepts connections and hands them on.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/loop/detail/operation.hpp>
#include <rondo/loop/detail/timer.hpp>

#include "io/socket_address.hpp"

#include <array>
#include <cstddef>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

class backend;
class listener;

/// What a listener finds.
class accept_sink {
public:
    /// A connected descriptor, which is the sink's from now on.
    virtual void accepted(int fd, address peer) noexcept = 0;
    /// Accepting pauses for a second.
    virtual void accept_failed(int error_number, const listener& on) noexcept = 0;
    /// An operation has been submitted (+1) or has completed (-1): as long as one is pending, listener and sink must live.
    virtual void note_pending(int change) noexcept = 0;

protected:
    ~accept_sink() = default;
};

/// Several accepts are in flight, so that several connections can come in one pass. One that arrives while it is being
/// closed is closed.
class listener {
public:
    /// Takes over a bound socket.
    listener(event_loop& loop, accept_sink& sink, int fd, address where) noexcept;
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    ~listener();

    const address& where() const noexcept { return where_; }
    int fd() const noexcept { return fd_; }
    bool owns_descriptor(int fd) const noexcept { return fd == fd_; }
    /// 0 or -errno.
    int start(int backlog) noexcept;
    /// New connections are refused from now on.
    void close() noexcept;

private:
    static constexpr std::size_t accepts_in_flight = 8;
    struct slot : operation {
        slot() noexcept : operation(operation_kind::accept, &completed) {}
        listener* owner = nullptr;
        socket_address peer;
    };
    struct retry_timer : timer_node {
        explicit retry_timer(listener& o) noexcept : timer_node(&rings), owner(o) {}
        static void rings(timer_node& node, event_loop& loop) noexcept;
        listener& owner;
    };

    static void completed(operation& op) noexcept;
    void accept_all() noexcept;
    void accept(slot& s) noexcept;
    void take(slot& s) noexcept;
    void pause() noexcept;
    bool any_pending() const noexcept;
    void close_descriptor() noexcept;

    event_loop& loop_;
    backend& backend_;
    accept_sink& sink_;
    int fd_;
    int backlog_ = 0;
    bool accepting_ = false;
    bool closed_ = false;
    address where_;
    std::array<slot, accepts_in_flight> slots_;
    retry_timer timer_{*this};
};

} // namespace rondo::detail
