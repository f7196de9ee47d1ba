// A connection or pipe whose receiving half is a protocol.
#pragma once

#include <rondo/io/protocol.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/task/future.hpp>

#include "io/protocol_caller.hpp"
#include "io/protocol_transport.hpp"
#include "io/receive_buffer.hpp"
#include "io/stream_core.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace rondo::detail {

/// Bytes are received into a buffer of this, or of a buffered_protocol, and told in the next turn; nothing more is received before
/// they were. So every callback is called from turn() or from a completion, in the order that protocol.hpp promises, whatever the
/// backend completes in between.
///
/// A protocol whose buffer was lent is kept until the kernel has given it back. When another protocol has come meanwhile, what
/// was put there is copied, for that.
///
/// From begin() until connection_lost() has returned it holds itself.
class protocol_stream final : public stream_core, private stream_consumer, private protocol_caller {
public:
    /// Takes over the descriptor, and closes it when it throws. Silent until begin(); without one it must be closed.
    static counted_ptr<protocol_stream> make(event_loop& loop, int fd, stream_kind kind, address peer,
                                             std::source_location where);
    /// The other end of this pipe tells nothing: before begin().
    void expect_no_news() noexcept { expects_news_ = false; }

    /// connection_made() in a turn of its own, after which `made` (may be null) is set.
    void begin(std::shared_ptr<rondo::protocol> p, future<> made = {}) noexcept;
    /// Holds this.
    std::shared_ptr<rondo::transport> transport();
    rondo::transport& face() noexcept override { return transport_; }

    // The transport's
    void stop() noexcept;
    void break_off() noexcept;
    void pause_reading() noexcept;
    void resume_reading() noexcept;
    bool is_reading() const noexcept { return reading_ && !is_closing(); }
    void set_protocol(std::shared_ptr<rondo::protocol> p) noexcept;
    const std::shared_ptr<rondo::protocol>& protocol() const noexcept { return protocol_; }

private:
    protocol_stream(event_loop& loop, int fd, stream_kind kind, address peer, std::source_location where);
    ~protocol_stream() override = default;
    void destroy() noexcept override { delete this; }
    void loop_is_closing() noexcept override;
    bool is_finishing() const noexcept override { return begun_ && !lost_told_; }

    appetite wants() const noexcept override;
    receive_room room() override;
    void received(std::size_t n, std::byte* at) noexcept override;
    void ended() noexcept override;
    void lost(const std::exception_ptr& error) noexcept override;
    bool still_reads() const noexcept override { return reading_; }
    void fullness_changed() noexcept override;

    void tell() noexcept override;
    void complete(error_report& about) noexcept override;
    void tell_made() noexcept;
    void tell_data() noexcept;
    void tell_lent_data() noexcept;
    void fill_buffer();
    std::span<std::byte> lent_buffer(std::size_t hint);
    void take_lent_data() noexcept;
    void tell_end_of_data() noexcept;
    void tell_room() noexcept;
    void tell_lost() noexcept;
    void failed(const char* callback, const std::shared_ptr<rondo::protocol>& of, std::exception_ptr error) noexcept;
    bool may_tell() const noexcept { return reading_ && !stopped_; }

    std::shared_ptr<rondo::protocol> protocol_;
    buffered_protocol* buffered_ = nullptr; // the protocol, when it is one
    protocol_transport transport_{*this};
    receive_buffer unread_;
    std::shared_ptr<rondo::protocol> lender_; // of lent_
    std::span<std::byte> lent_;               // the buffer that the next bytes go to, or have gone to; empty: unread_
    std::size_t filled_ = 0;                  // so many of it were not told yet
    future<> made_;
    std::exception_ptr loss_;
    bool begun_ = false;
    bool expects_news_ = true;
    bool made_told_ = false;
    bool reading_ = true;
    bool stopped_ = false; // closed here, or by a failure of the protocol: what has come is not told any more
    bool ended_ = false;   // the other side sends no more
    bool end_told_ = false;
    bool writing_paused_ = false; // as the protocol knows it
    bool lost_ = false;
    bool lost_told_ = false;
};

void retain(protocol_stream& s) noexcept;
void release(protocol_stream& s) noexcept;

} // namespace rondo::detail
