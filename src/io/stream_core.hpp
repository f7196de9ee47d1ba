// The core of a connection or pipe, shared by its two halves: the descriptor, one receive and one send operation, the queue
// of what is to be sent, and how it ends.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/io/detail/write_awaiter.hpp>
#include <rondo/loop/detail/operation.hpp>
#include <rondo/loop/detail/ready_queue.hpp>

#include "io/io_service.hpp"
#include "io/send_queue.hpp"
#include "io/shared_core.hpp"
#include "io/stream_consumer.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <utility>

namespace rondo {
class event_loop;
class transport;
}

namespace rondo::detail {

class backend;
class sending_lease;
class stream_core;

enum class stream_kind : std::uint8_t { tcp, unix_socket, read_pipe, write_pipe };

/// Is told once that a connection is gone; must be taken back (observe(nullptr)) before it dies.
class stream_observer {
public:
    virtual void stream_lost(stream_core& stream) noexcept = 0;

protected:
    ~stream_observer() = default;
};

/// open -> closing (what is queued is still sent) -> ending (operations are being called back) -> lost (the descriptor is
/// closed, everybody was told).
///
/// The operations belong to the core, which lives until they have completed. Receiving is driven by the consumer's appetite:
/// at once while somebody waits; otherwise ahead, in a turn of its own behind the tasks that the last bytes have woken, so
/// that a task which comes back for more finds its buffer free.
class stream_core : public shared_core, public ready_node, private io_resource {
public:
    event_loop& loop() const noexcept { return *loop_; }
    stream_kind kind() const noexcept { return kind_; }
    int descriptor() const noexcept { return fd_; }
    /// "fd 7 to 127.0.0.1:80"
    std::string describe() const;
    /// Who asked for it.
    const std::source_location& made_at() const noexcept { return made_at_; }
    /// What its user holds; of a protocol or of a stream_writer.
    virtual rondo::transport& face() noexcept = 0;
    address peer_address() const { return peer_; }
    address local_address() const;

    // The consumer's
    /// What is received may go into a block that is taken when there is something to put into it.
    bool gives_blocks() const noexcept { return gives_blocks_; }
    /// Submits a receive unless one is pending or nothing is wanted; completes what can be had at once.
    void receive() noexcept;
    /// Bytes were taken, or the appetite has changed.
    void consumed() noexcept;
    /// Nobody will read again.
    void reader_gone() noexcept;

    // Sending
    /// Copies and sends what can be sent at once. Throws std::bad_alloc.
    void send_copy(std::span<const bytes_view> pieces);
    void send_borrowed(outgoing& bytes) noexcept;
    /// Takes a borrowed one back. False: it is with the kernel, and will be released when that has answered.
    bool take_back(write_awaiter& writer, outgoing& bytes) noexcept;
    void write_eof() noexcept;
    bool eof_requested() const noexcept { return eof_ >= eof_state::requested; }
    bool can_write_eof() const noexcept { return kind_ != stream_kind::read_pipe; }
    /// More than the high-water mark was queued, and not yet fewer than the low-water mark are.
    bool is_full() const noexcept { return full_; }
    std::size_t queued() const noexcept { return queue_.size(); }
    /// high >= low.
    void set_limits(std::size_t low, std::size_t high) noexcept;
    std::pair<std::size_t, std::size_t> limits() const noexcept { return {low_, high_}; }
    void wait_for_room(write_awaiter& w) noexcept { waiting_for_room_.push_back(w); }
    void stop_waiting(write_awaiter& w) noexcept { waiting_for_room_.erase(w); }
    /// Why nothing can be written, or null.
    const std::exception_ptr& write_error() const noexcept { return write_error_; }
    /// What drain() throws, or null.
    virtual std::exception_ptr reader_error() const noexcept { return nullptr; }

    /// As sending_lease tells it.
    void lend(sending_lease& to) noexcept;
    void give_back() noexcept;
    bool is_lent() const noexcept { return lease_ != nullptr; }

    // The end
    void close() noexcept;
    /// At once: what is queued is dropped, and a TCP peer sees a reset. `error` (may be null) is what the end is told to be.
    void abort(const std::exception_ptr& error) noexcept;
    bool is_closing() const noexcept { return phase_ >= phase::closing; }
    bool is_lost() const noexcept { return phase_ == phase::lost; }
    /// What ended it; null while it lives, and when it was closed here.
    const std::exception_ptr& error() const noexcept { return error_; }
    void wait_until_lost(closed_awaiter& w) noexcept { waiting_for_end_.push_back(w); }
    void stop_waiting(closed_awaiter& w) noexcept { waiting_for_end_.erase(w); }
    void observe(stream_observer* by) noexcept { observer_ = by; }

    static constexpr int lost_writes_to_report = 5; // asyncio's LOG_THRESHOLD_FOR_CONNLOST_WRITES
    static constexpr std::size_t high_water = 65536;
    static constexpr std::size_t low_water = high_water / 4;

protected:
    /// When nothing can be sent any more: what the other side has sent will still be read. Otherwise it is the end.
    virtual bool still_reads() const noexcept { return !reader_gone_; }
    /// is_full() has changed.
    virtual void fullness_changed() noexcept {}
    /// Takes over the descriptor.
    stream_core(event_loop& loop, int fd, stream_kind kind, address peer, std::source_location where);
    ~stream_core() override;
    /// Ready to be told of bytes.
    void start(stream_consumer& consumer) noexcept;
    /// The room that was given is wanted back: received() comes soon, if need be with nothing.
    void interrupt_receiving() noexcept;

private:
    enum class phase : std::uint8_t { open, closing, ending, lost };
    enum class eof_state : std::uint8_t { open, requested, sent };
    struct stream_operation : operation {
        stream_operation(stream_core& c, operation_kind k, function done) noexcept : operation(k, done), core(c) {}
        stream_core& core;
    };

    void loop_is_closing() noexcept override {}
    bool is_finishing() const noexcept override { return phase_ <= phase::closing && (!queue_.empty() || lease_); }
    void loop_is_closed() noexcept override;
    bool owns_descriptor(int fd) const noexcept override { return fd == fd_; }
    static void turn(ready_node& node, event_loop& loop);
    static void receive_completed(operation& op) noexcept;
    static void send_completed(operation& op) noexcept;
    bool submit(stream_operation& op) noexcept;
    appetite may_receive() const noexcept;
    bool prepare_receive() noexcept;
    void receive_ended(std::int64_t result) noexcept;
    void hung_up() noexcept;
    void schedule() noexcept;
    void flush() noexcept;
    void prepare_send() noexcept;
    void send_ended(std::int64_t result) noexcept;
    void release_cancelled_writers() noexcept;
    void break_stream(std::size_t sent, std::size_t total) noexcept;
    void sending_failed(const std::exception_ptr& error) noexcept;
    void update_fullness() noexcept {
        if (full_ || queue_.size() > high_ || !waiting_for_room_.empty()) fullness_may_change();
    }
    void fullness_may_change() noexcept;
    void note_lost_write();
    void end() noexcept;
    void finish_ending() noexcept;
    std::exception_ptr error_of(std::int64_t result, const char* doing) const;

    event_loop* loop_;
    detail::backend* backend_;
    io_service& service_;
    stream_consumer* consumer_ = nullptr;
    stream_observer* observer_ = nullptr;
    int fd_;
    stream_kind kind_;
    phase phase_ = phase::open;
    eof_state eof_ = eof_state::open;
    bool gives_blocks_;
    bool scheduled_ = false;
    bool full_ = false;
    bool peer_ended_ = false; // the other side sends no more
    bool reader_gone_ = false;
    bool broken_ = false; // half a message was sent
    bool reset_ = false;  // end with a reset
    stream_operation receive_op_;
    stream_operation send_op_;
    send_queue queue_;
    struct gathered;
    std::unique_ptr<gathered> gathered_; // while the send operation has several pieces
    waiting_list<write_awaiter> waiting_for_room_;
    waiting_list<closed_awaiter> waiting_for_end_;
    std::size_t low_ = low_water;
    std::size_t high_ = high_water;
    const outgoing* last_sending_ = nullptr; // of the pending send operation
    sending_lease* lease_ = nullptr;
    std::size_t cancelled_writers_ = 0; // whose bytes are with the kernel
    int lost_writes_ = 0;               // that were dropped; no more are counted than are reported
    std::exception_ptr error_;
    std::exception_ptr write_error_;
    address peer_;
    std::source_location made_at_;
};

} // namespace rondo::detail
