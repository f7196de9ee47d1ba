#include "io/datagram_core.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/descriptor_guard.hpp"
#include "io/report.hpp"
#include "io/report_unclosed.hpp"
#include "io/stream_core.hpp"
#include "io/stream_transport.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <cassert>
#include <cerrno>
#include <new>
#include <tuple>
#include <utility>

namespace rondo::detail {

namespace {

constexpr std::size_t largest_over_ip = 65536;                     // the length in an IP header has 16 bits
constexpr std::size_t largest_elsewhere = std::size_t{256} * 1024; // asyncio's; what a Unix socket's buffer holds
constexpr int most_told_in_a_row = 8;                              // then others have their turn

} // namespace

void retain(datagram_core& d) noexcept { d.add_reference(); }
void release(datagram_core& d) noexcept { d.drop_reference(); }

counted_ptr<datagram_core> datagram_core::make(event_loop& loop, int fd, int family, std::optional<remote> to,
                                               std::source_location where) {
    descriptor_guard guard(loop, fd);
    auto made = counted_ptr<datagram_core>::adopt(new datagram_core(loop, fd, family, std::move(to), where));
    guard.taken();
    return made;
}

datagram_core::datagram_core(event_loop& loop, int fd, int family, std::optional<remote> to, std::source_location where)
    : protocol_caller(loop, static_cast<shared_core&>(*this)),
      backend_(loop_access::backend(loop)),
      service_(service<io_service>(loop)),
      fd_(fd),
      remote_(std::move(to)),
      receive_op_(*this, operation_kind::recvmsg, &receive_completed),
      send_op_(*this, operation_kind::sendmsg, &send_completed),
      room_(family == AF_UNIX ? largest_elsewhere : largest_over_ip),
      buffer_(new std::byte[room_]),
      made_at_(where) {
    std::tie(low_, high_) = checked_limits({});
    for (message_operation* op : {&receive_op_, &send_op_}) {
        op->fd = fd;
        op->message = &op->header;
        op->header.msg_iov = &op->piece;
        op->header.msg_iovlen = 1;
    }
    service_.add(*this);
}

datagram_core::~datagram_core() { assert(phase_ == phase::lost); }

void datagram_core::begin(std::shared_ptr<datagram_protocol> p, future<> made) noexcept {
    protocol_ = std::move(p);
    made_ = std::move(made);
    add_reference();
    tell_soon();
}

std::shared_ptr<datagram_transport> datagram_core::transport() {
    return {this, [keep = counted_ptr<datagram_core>(this)](datagram_transport*) mutable { keep = {}; }};
}

address datagram_core::peer_address() const { return remote_ && remote_->connected ? remote_->address : address(); }

address datagram_core::local_address() const {
    return phase_ == phase::lost ? address() : local_address_of(backend_.os(), fd_);
}

/// True: it is done. Otherwise this lives until it has completed.
bool datagram_core::submit(message_operation& op) noexcept {
    add_reference();
    if (!backend_.submit(op)) return false;
    drop_reference();
    return true;
}

// Receiving

void datagram_core::receive() noexcept {
    if (phase_ != phase::open || holds_one_ || receive_op_.pending() || service_.ended()) return;
    from_ = socket_address();
    from_.make_room();
    receive_op_.piece = {buffer_.get(), room_};
    receive_op_.header.msg_name = from_.get();
    receive_op_.header.msg_namelen = from_.size;
    if (submit(receive_op_)) received(receive_op_.result);
}

void datagram_core::receive_completed(operation& op) noexcept {
    datagram_core& self = static_cast<message_operation&>(op).core;
    const auto keep = counted_ptr<datagram_core>::adopt(&self);
    self.received(op.result);
    self.finish_ending();
}

void datagram_core::received(std::int64_t result) noexcept {
    if (result == -ECANCELED) return;
    if (result < 0) {
        failed(result, "receive");
    } else if (receive_op_.header.msg_flags & MSG_TRUNC) {
        failed(-EMSGSIZE, "receive");
    } else {
        from_.size = receive_op_.header.msg_namelen;
        received_bytes_ = static_cast<std::size_t>(result);
        holds_one_ = true;
    }
    tell_soon();
}

void datagram_core::failed(std::int64_t result, const char* doing) noexcept {
    try {
        errors_.push_back(
            os_error(static_cast<int>(-result), std::string(doing) + " a datagram (fd " + std::to_string(fd_) + ")"));
    } catch (const std::bad_alloc&) { // there is no memory to say so
    }
    tell_soon();
}

// Sending

void datagram_core::sendto(bytes_view data) {
    std::optional<socket_address> to;
    if (remote_ && !remote_->connected) to.emplace(remote_->address);
    send(data, to);
}

void datagram_core::sendto(bytes_view data, const address& to) {
    if (!remote_) return send(data, socket_address(to));
    if (to != remote_->address) {
        throw value_error("sendto(): this endpoint sends to " + remote_->address.str() + " only, not to " + to.str());
    }
    sendto(data);
}

void datagram_core::send(bytes_view data, std::optional<socket_address> to) {
    if (phase_ != phase::open) return note_lost_write();
    queue_.push_back({bytes(data), to});
    queued_bytes_ += queue_.back().cost();
    flush();
    update_fullness();
}

void datagram_core::note_lost_write() {
    if (lost_writes_ == stream_core::lost_writes_to_report) return;
    ++lost_writes_;
    if (lost_writes_ < stream_core::lost_writes_to_report) return;
    if (running_loop_or_null() != &caller_loop()) return; // which may be gone
    error_report about{.message =
                           std::to_string(lost_writes_) + " datagrams were dropped, for their endpoint is closed"};
    complete(about);
    report_soon(caller_loop(), about, counted_ptr<datagram_core>(this));
}

void datagram_core::flush() noexcept {
    while (phase_ <= phase::closing && !queue_.empty() && !send_op_.pending() && !service_.ended()) {
        waiting_datagram& first = queue_.front();
        send_op_.piece = {first.data.data(), first.data.size()};
        send_op_.header.msg_name = first.to ? first.to->get() : nullptr;
        send_op_.header.msg_namelen = first.to ? first.to->size : 0;
        if (!submit(send_op_)) return;
        sent(send_op_.result);
    }
    if (phase_ == phase::closing && queue_.empty()) end();
}

void datagram_core::send_completed(operation& op) noexcept {
    datagram_core& self = static_cast<message_operation&>(op).core;
    const auto keep = counted_ptr<datagram_core>::adopt(&self);
    self.sent(op.result);
    self.flush();
    self.update_fullness();
    self.finish_ending();
}

void datagram_core::sent(std::int64_t result) noexcept {
    queued_bytes_ -= queue_.front().cost();
    queue_.pop_front();
    if (result < 0 && result != -ECANCELED) failed(result, "send");
}

void datagram_core::set_write_buffer_limits(write_limits limits) {
    std::tie(low_, high_) = checked_limits(limits);
    update_fullness();
}

void datagram_core::update_fullness() noexcept {
    if (queued_bytes_ > high_) full_ = true;
    else if (queued_bytes_ <= low_) full_ = false;
    if (!full_) {
        if (writing_paused_ && !lost_told_) tell_soon();
    } else if (phase_ <= phase::closing && !std::exchange(writing_paused_, true)) {
        const std::shared_ptr<datagram_protocol> to = protocol_;
        call_and_report("pause_writing()", to, [&] { to->pause_writing(); });
    }
}

// The end

void datagram_core::close() {
    if (phase_ != phase::open) return;
    phase_ = phase::closing;
    backend_.cancel(receive_op_);
    if (queue_.empty()) end();
}

void datagram_core::abort() { end(); }

void datagram_core::end() noexcept {
    if (phase_ >= phase::ending) return;
    phase_ = phase::ending;
    backend_.cancel(receive_op_);
    backend_.cancel(send_op_);
    finish_ending();
}

void datagram_core::loop_is_closed() noexcept {
    const counted_ptr<datagram_core> keep(this);
    end();
}

void datagram_core::finish_ending() noexcept {
    if (phase_ != phase::ending || receive_op_.pending() || send_op_.pending()) return;
    phase_ = phase::lost;
    queue_.clear();
    queued_bytes_ = 0;
    backend_.os().close(std::exchange(fd_, -1));
    service_.remove(*this);
    tell_soon();
}

// What the protocol is told

void datagram_core::tell() noexcept {
    const counted_ptr<datagram_core> keep(this);
    if (lost_told_) return;
    if (made_told_) {
        tell_errors();
        tell_datagrams();
        tell_room();
    } else {
        tell_made();
        tell_soon(); // receiving begins in the callback after this one
    }
    tell_lost();
}

void datagram_core::tell_made() noexcept {
    made_told_ = true;
    call_and_report("connection_made()", protocol_,
                    [&] { protocol_->connection_made(static_cast<datagram_transport&>(*this)); });
    if (made_) std::exchange(made_, {}).try_set_result();
}

void datagram_core::tell_errors() noexcept {
    for (const std::exception_ptr& error : std::exchange(errors_, {})) {
        if (phase_ >= phase::ending) return;
        call_and_report("error_received()", protocol_, [&] { protocol_->error_received(error); });
    }
}

void datagram_core::tell_datagrams() noexcept {
    receive();
    for (int told = 0; holds_one_ && phase_ == phase::open; ++told) {
        if (told == most_told_in_a_row) {
            tell_soon();
            return;
        }
        call_and_report("datagram_received()", protocol_,
                        [&] { protocol_->datagram_received({buffer_.get(), received_bytes_}, from_.to_address()); });
        holds_one_ = false;
        receive();
    }
}

void datagram_core::tell_room() noexcept {
    if (!writing_paused_ || full_ || phase_ >= phase::ending) return;
    writing_paused_ = false;
    call_and_report("resume_writing()", protocol_, [&] { protocol_->resume_writing(); });
}

void datagram_core::tell_lost() noexcept {
    if (phase_ != phase::lost || lost_told_) return;
    lost_told_ = true;
    const std::shared_ptr<datagram_protocol> to = std::exchange(protocol_, nullptr);
    call_and_report("connection_lost()", to, [&] { to->connection_lost(nullptr); });
    drop_reference();
}

void datagram_core::complete(error_report& about) noexcept {
    about.any_transport = this;
    about.socket = fd_;
    if (made_at_.line() != 0) about.created_at = made_at_;
}

void datagram_core::loop_is_closing() noexcept {
    if (caller_loop().debug() && phase_ == phase::open)
        report_unclosed("a datagram transport", "fd " + std::to_string(fd_), made_at_);
    close();
}

} // namespace rondo::detail
