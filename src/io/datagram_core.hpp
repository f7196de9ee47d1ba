// A datagram socket: one receive and one send operation, what waits to be sent, and the protocol that is told.
#pragma once

#include <rondo/io/bytes.hpp>
#include <rondo/io/datagram_protocol.hpp>
#include <rondo/io/datagram_transport.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/loop/detail/operation.hpp>
#include <rondo/task/future.hpp>

#include "io/io_service.hpp"
#include "io/protocol_caller.hpp"
#include "io/shared_core.hpp"
#include "io/socket_address.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

namespace rondo::detail {

class backend;

/// open -> closing (what is queued is still sent) -> ending (operations are being called back) -> lost.
///
/// A datagram that has come is held until it was told, in a turn of its own; then the next one is received. Holds itself
/// from begin() until connection_lost() has returned.
class datagram_core final : public shared_core,
                            public datagram_transport,
                            private io_resource,
                            private protocol_caller {
public:
    struct remote {
        rondo::address address;
        bool connected; // otherwise each datagram is addressed to it
    };

    /// Takes over the descriptor, and closes it when it throws. To be followed by begin().
    static counted_ptr<datagram_core> make(event_loop& loop, int fd, int family, std::optional<remote> to,
                                           std::source_location where);
    /// connection_made() in a turn of its own, after which `made` is set.
    void begin(std::shared_ptr<datagram_protocol> p, future<> made) noexcept;
    /// Holds this.
    std::shared_ptr<datagram_transport> transport();

    void close() override;
    void abort() override;
    bool is_closing() const noexcept override { return phase_ != phase::open; }
    address peer_address() const override;
    address local_address() const override;
    int fd() const noexcept override { return fd_; }
    void sendto(bytes_view data) override;
    void sendto(bytes_view data, const address& to) override;
    void set_write_buffer_limits(write_limits limits) override;
    std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept override { return {low_, high_}; }
    std::size_t get_write_buffer_size() const noexcept override { return queued_bytes_; }

private:
    enum class phase : std::uint8_t { open, closing, ending, lost };
    struct message_operation : operation {
        message_operation(datagram_core& c, operation_kind k, function done) noexcept : operation(k, done), core(c) {}
        datagram_core& core;
        ::msghdr header{};
        ::iovec piece{};
    };
    struct waiting_datagram {
        bytes data;
        std::optional<socket_address> to;
        std::size_t cost() const noexcept { return data.size() + 8; } // asyncio's accounting
    };

    datagram_core(event_loop& loop, int fd, int family, std::optional<remote> to, std::source_location where);
    ~datagram_core() override;
    void destroy() noexcept override { delete this; }
    void loop_is_closing() noexcept override;
    bool is_finishing() const noexcept override { return !lost_told_; }
    void loop_is_closed() noexcept override;
    bool owns_descriptor(int fd) const noexcept override { return fd == fd_; }

    static void receive_completed(operation& op) noexcept;
    static void send_completed(operation& op) noexcept;
    bool submit(message_operation& op) noexcept;
    void receive() noexcept;
    void received(std::int64_t result) noexcept;
    void send(bytes_view data, std::optional<socket_address> to);
    void flush() noexcept;
    void sent(std::int64_t result) noexcept;
    void update_fullness() noexcept;
    void failed(std::int64_t result, const char* doing) noexcept;
    void end() noexcept;
    void finish_ending() noexcept;

    void note_lost_write();

    void tell() noexcept override;
    void complete(error_report& about) noexcept override;
    void tell_made() noexcept;
    void tell_errors() noexcept;
    void tell_datagrams() noexcept;
    void tell_room() noexcept;
    void tell_lost() noexcept;

    backend& backend_;
    io_service& service_;
    int fd_;
    phase phase_ = phase::open;
    bool made_told_ = false;
    bool holds_one_ = false;
    bool full_ = false;
    bool writing_paused_ = false; // as the protocol knows it
    bool lost_told_ = false;
    std::optional<remote> remote_;
    std::shared_ptr<datagram_protocol> protocol_;
    future<> made_;
    message_operation receive_op_;
    message_operation send_op_;
    std::size_t room_;
    std::unique_ptr<std::byte[]> buffer_;
    std::size_t received_bytes_ = 0;
    socket_address from_;
    std::deque<waiting_datagram> queue_; // the first may be with the kernel
    std::size_t queued_bytes_ = 0;
    std::size_t low_;
    std::size_t high_;
    std::vector<std::exception_ptr> errors_;
    int lost_writes_ = 0; // as stream_core counts them
    std::source_location made_at_;
};

void retain(datagram_core& d) noexcept;
void release(datagram_core& d) noexcept;

} // namespace rondo::detail
