#include "io/stream_core.hpp"

#include <rondo/io/errors.hpp>
#include <rondo/io/transport.hpp>
#include <rondo/loop/event_loop.hpp>

#include "coro/without_memory.hpp"
#include "io/report.hpp"
#include "io/sending_lease.hpp"
#include "io/socket_address.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <new>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace rondo::detail {

namespace {

// A peer that sends faster than we receive must not keep the loop from its other work.
constexpr int most_receives_in_a_row = 8;

constexpr operation_kind receiving_by(stream_kind kind) noexcept {
    if (kind == stream_kind::read_pipe) return operation_kind::read;
    return kind == stream_kind::write_pipe ? operation_kind::poll : operation_kind::recv;
}

std::size_t left_of(const outgoing& o) noexcept {
    std::size_t left = o.now.size();
    for (const bytes_view& piece : o.later) left += piece.size();
    return left;
}

} // namespace

struct stream_core::gathered {
    std::array<::iovec, send_queue::most_pieces> pieces;
    ::msghdr message;
};

void retain(stream_core& s) noexcept { s.add_reference(); }
void release(stream_core& s) noexcept { s.drop_reference(); }

stream_core::stream_core(event_loop& loop, int fd, stream_kind kind, address peer, std::source_location where)
    : ready_node(&turn),
      loop_(&loop),
      backend_(&loop_access::backend(loop)),
      service_(service<io_service>(loop)),
      fd_(fd),
      kind_(kind),
      gives_blocks_((kind == stream_kind::tcp || kind == stream_kind::unix_socket) && backend_->gives_blocks()),
      receive_op_(*this, receiving_by(kind), &receive_completed),
      send_op_(*this, kind == stream_kind::write_pipe ? operation_kind::write : operation_kind::send, &send_completed),
      peer_(std::move(peer)),
      made_at_(where) {
    receive_op_.fd = send_op_.fd = fd;
    if (kind == stream_kind::tcp) backend_->os().set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    service_.add(*this);
}

stream_core::~stream_core() { assert(phase_ == phase::lost); }

void stream_core::start(stream_consumer& consumer) noexcept {
    consumer_ = &consumer;
    schedule();
}

std::string stream_core::describe() const {
    const std::string fd = fd_ < 0 ? "closed" : "fd " + std::to_string(fd_);
    if (kind_ == stream_kind::read_pipe || kind_ == stream_kind::write_pipe) return "pipe " + fd;
    return fd + " to " + peer_.str();
}

address stream_core::local_address() const {
    if (phase_ == phase::lost || kind_ == stream_kind::read_pipe || kind_ == stream_kind::write_pipe) return {};
    return local_address_of(backend_->os(), fd_);
}

std::exception_ptr stream_core::error_of(std::int64_t result, const char* doing) const {
    return error_or_obstacle(
        [&] { return os_error(static_cast<int>(-result), std::string(doing) + " (" + describe() + ")"); });
}

/// True: it is done. Otherwise the core lives until it has completed.
bool stream_core::submit(stream_operation& op) noexcept {
    add_reference();
    if (!backend_->submit(op)) return false;
    drop_reference();
    return true;
}

void stream_core::schedule() noexcept {
    if (scheduled_ || service_.ended()) return;
    scheduled_ = true;
    service_.note_scheduled(+1);
    add_reference();
    loop_access::state(*loop_).ready.push(*this);
}

void stream_core::turn(ready_node& node, event_loop&) {
    auto& self = static_cast<stream_core&>(node);
    const auto keep = counted_ptr<stream_core>::adopt(&self);
    self.scheduled_ = false;
    self.service_.note_scheduled(-1);
    if (self.phase_ == phase::ending) self.finish_ending();
    else self.receive();
}

// Receiving

appetite stream_core::may_receive() const noexcept {
    if (phase_ != phase::open || peer_ended_ || receive_op_.pending() || service_.ended()) return appetite::none;
    return consumer_->wants();
}

bool stream_core::prepare_receive() noexcept {
    if (kind_ == stream_kind::write_pipe) {
        receive_op_.flags = POLLIN; // never comes: what comes is POLLERR, when nobody reads any more
        return true;
    }
    try {
        const receive_room room = consumer_->room();
        if (room.size == 0) return false;
        if (phase_ != phase::open) { // ended by whoever gave it
            consumer_->received(0, room.at);
            return false;
        }
        receive_op_.buffer = room.at;
        receive_op_.size = room.size;
        return true;
    } catch (const std::bad_alloc&) {
        abort(error_of(-ENOMEM, "receive"));
        return false;
    }
}

void stream_core::receive() noexcept {
    for (int in_a_row = 0;; ++in_a_row) {
        const appetite wanted = may_receive();
        if (wanted == appetite::none) return;
        if (in_a_row > 0 && (in_a_row == most_receives_in_a_row || wanted != appetite::now)) {
            schedule();
            return;
        }
        if (!prepare_receive() || !submit(receive_op_)) return;
        receive_ended(receive_op_.result);
    }
}

void stream_core::receive_completed(operation& op) noexcept {
    stream_core& self = static_cast<stream_operation&>(op).core;
    const auto keep = counted_ptr<stream_core>::adopt(&self);
    self.receive_ended(op.result);
    if (self.phase_ == phase::ending) {
        self.finish_ending();
        return;
    }
    const appetite wanted = self.may_receive();
    if (wanted == appetite::now) self.receive();
    else if (wanted == appetite::ahead) self.schedule();
}

void stream_core::receive_ended(std::int64_t result) noexcept {
    if (kind_ == stream_kind::write_pipe) {
        if (result != -ECANCELED) hung_up();
        return;
    }
    consumer_->received(result > 0 ? static_cast<std::size_t>(result) : 0, static_cast<std::byte*>(receive_op_.buffer));
    if (result > 0 || result == -ECANCELED) return;
    if (result == 0) {
        peer_ended_ = true;
        consumer_->ended();
        if (kind_ == stream_kind::read_pipe || write_error_) end();
    } else if (phase_ <= phase::closing) {
        error_ = error_of(result, "receive");
        end();
    }
}

/// Nobody reads the pipe any more: an error for whoever still has something to send.
void stream_core::hung_up() noexcept {
    peer_ended_ = true;
    if (phase_ <= phase::closing && !queue_.empty()) error_ = error_of(-EPIPE, "write");
    end();
}

void stream_core::interrupt_receiving() noexcept { backend_->cancel(receive_op_); }

void stream_core::consumed() noexcept {
    if (!scheduled_ && may_receive() != appetite::none) schedule();
}

void stream_core::reader_gone() noexcept {
    reader_gone_ = true;
    if (kind_ == stream_kind::read_pipe) close();
}

// The end

void stream_core::close() noexcept {
    if (phase_ != phase::open) return;
    phase_ = phase::closing;
    backend_->cancel(receive_op_);
    if (queue_.empty() && !lease_) end();
}

void stream_core::abort(const std::exception_ptr& error) noexcept {
    if (phase_ >= phase::ending) return;
    reset_ = true;
    if (!error_) error_ = error;
    end();
}

void stream_core::loop_is_closed() noexcept {
    const counted_ptr<stream_core> keep(this);
    end();
    finish_ending();
}

void stream_core::end() noexcept {
    if (phase_ >= phase::ending) return;
    phase_ = phase::ending;
    if (!error_ && !broken_) error_ = write_error_;
    backend_->cancel(receive_op_);
    backend_->cancel(send_op_);
    if (lease_) lease_->revoke();
    if (service_.ended()) finish_ending();
    else schedule();
}

/// Once its operations have been called back.
void stream_core::finish_ending() noexcept {
    if (phase_ == phase::lost || receive_op_.pending() || send_op_.pending() || lease_) return;
    phase_ = phase::lost;
    if (!write_error_)
        write_error_ = error_ ? error_ : error_or_obstacle([&] {
            return os_error(ECONNRESET, "the connection is closed (" + describe() + ")");
        });
    queue_.clear();
    update_fullness();
    if (reset_ && kind_ == stream_kind::tcp) backend_->os().reset_on_close(fd_);
    backend_->os().close(std::exchange(fd_, -1));
    service_.remove(*this);
    consumer_->lost(error_);
    while (!waiting_for_end_.empty()) waiting_for_end_.pop_front().closed();
    if (observer_) std::exchange(observer_, nullptr)->stream_lost(*this);
}

// Sending

void stream_core::send_copy(std::span<const bytes_view> pieces) {
    if (phase_ != phase::open || write_error_) {
        if (std::any_of(pieces.begin(), pieces.end(), [](const bytes_view& p) { return !p.empty(); }))
            note_lost_write();
        return;
    }
    queue_.copy(pieces);
    flush();
    update_fullness();
}

/// A program that goes on writing has not noticed.
void stream_core::note_lost_write() {
    if (lost_writes_ == lost_writes_to_report) return;
    ++lost_writes_;
    if (lost_writes_ < lost_writes_to_report) return;
    if (running_loop_or_null() != loop_) return; // which may be gone
    report_soon(*loop_,
                {.message = std::to_string(lost_writes_to_report) +
                            " writes were dropped, for the connection is closed or lost (" + describe() + ")",
                 .exception = write_error_,
                 .transport = &face(),
                 .created_at = made_at_,
                 .any_transport = &face(),
                 .socket = fd_},
                counted_ptr<stream_core>(this));
}

void stream_core::send_borrowed(outgoing& bytes) noexcept {
    queue_.push(bytes);
    flush();
    update_fullness();
}

bool stream_core::take_back(write_awaiter& writer, outgoing& bytes) noexcept {
    bool with_kernel = false;
    for (const outgoing* o = send_op_.pending() ? queue_.front() : nullptr; o && !with_kernel; o = o->next) {
        with_kernel = o == &bytes;
        if (o == last_sending_) break;
    }
    if (with_kernel) {
        if (!writer.asked_to_cancel()) ++cancelled_writers_;
        backend_->cancel(send_op_);
        return false;
    }
    queue_.remove(bytes);
    update_fullness();
    return true;
}

void stream_core::prepare_send() noexcept {
    const outgoing& first = *queue_.front();
    send_op_.flags = MSG_WAITALL; // one operation for a whole message: the kernel goes on by itself
    last_sending_ = &first;
    const bool several = kind_ != stream_kind::write_pipe && (first.next || !first.later.empty());
    if (several && !gathered_) gathered_.reset(new (std::nothrow) gathered); // without memory they go one by one
    if (!several || !gathered_) {
        if (kind_ != stream_kind::write_pipe) send_op_.kind = operation_kind::send;
        send_op_.data = first.now.data();
        send_op_.size = first.now.size();
        return;
    }
    gathered_->message = ::msghdr{};
    gathered_->message.msg_iov = gathered_->pieces.data();
    gathered_->message.msg_iovlen = queue_.gather(gathered_->pieces, last_sending_);
    send_op_.kind = operation_kind::sendmsg;
    send_op_.message = &gathered_->message;
}

void stream_core::flush() noexcept {
    while (phase_ <= phase::closing && !queue_.empty() && !send_op_.pending() && !service_.ended()) {
        prepare_send();
        if (!submit(send_op_)) return;
        send_ended(send_op_.result);
    }
    if (phase_ > phase::closing || !queue_.empty()) return;
    if (lease_) {
        lease_->grant();
        return;
    }
    if (eof_ == eof_state::requested) {
        eof_ = eof_state::sent;
        if (kind_ == stream_kind::write_pipe) close();
        else backend_->os().shutdown(fd_, SHUT_WR);
    }
    if (phase_ == phase::closing) end();
}

void stream_core::send_completed(operation& op) noexcept {
    stream_core& self = static_cast<stream_operation&>(op).core;
    const auto keep = counted_ptr<stream_core>::adopt(&self);
    self.send_ended(op.result);
    if (self.phase_ == phase::ending) self.finish_ending();
    else self.flush();
}

void stream_core::send_ended(std::int64_t result) noexcept {
    last_sending_ = nullptr;
    if (result < 0 && result != -ECANCELED) {
        const std::exception_ptr error = error_of(result, "send");
        // Bytes are lost on their way to somebody who is still there: he must not wait for them.
        if (result == -EPIPE || result == -ECONNRESET) sending_failed(error);
        else abort(error);
        return;
    }
    if (result > 0) queue_.advance(static_cast<std::size_t>(result));
    if (cancelled_writers_ > 0) release_cancelled_writers();
    update_fullness();
}

void stream_core::release_cancelled_writers() noexcept {
    cancelled_writers_ = 0;
    for (outgoing* o = queue_.front(); o;) {
        outgoing& bytes = *std::exchange(o, o->next);
        if (!bytes.owner || !bytes.owner->asked_to_cancel()) continue;
        const std::size_t left = left_of(bytes);
        if (left < bytes.owner->total()) {
            break_stream(bytes.owner->total() - left, bytes.owner->total());
            return;
        }
        queue_.remove(bytes);
        bytes.owner->released();
    }
}

void stream_core::break_stream(std::size_t sent, std::size_t total) noexcept {
    broken_ = reset_ = true;
    sending_failed(error_or_obstacle([&] {
        return os_error(EPIPE, "the stream is broken: a write() that was cancelled had sent " + std::to_string(sent) +
                                   " of its " + std::to_string(total) + " bytes; close the connection (" + describe() +
                                   ")");
    }));
}

/// Nothing more can be sent. What the other side has sent can still be read.
void stream_core::sending_failed(const std::exception_ptr& error) noexcept {
    write_error_ = error;
    cancelled_writers_ = 0;
    queue_.clear();
    update_fullness();
    if (phase_ == phase::closing || kind_ == stream_kind::write_pipe || peer_ended_ || !still_reads()) end();
}

void stream_core::fullness_may_change() noexcept {
    const bool was_full = full_;
    if (queue_.size() > high_) full_ = true;
    else if (queue_.size() <= low_) full_ = false;
    if (full_ != was_full) fullness_changed();
    if (queue_.size() > low_) return;
    while (!waiting_for_room_.empty()) waiting_for_room_.pop_front().may_go_on();
}

void stream_core::set_limits(std::size_t low, std::size_t high) noexcept {
    low_ = low;
    high_ = high;
    update_fullness();
}

void stream_core::lend(sending_lease& to) noexcept {
    lease_ = &to;
    if (phase_ >= phase::ending) to.revoke();
    else flush();
}

void stream_core::give_back() noexcept {
    lease_ = nullptr;
    if (phase_ < phase::ending) flush();
    else if (service_.ended()) finish_ending();
    else schedule();
}

void stream_core::write_eof() noexcept {
    if (phase_ != phase::open || eof_ != eof_state::open) return;
    eof_ = eof_state::requested;
    flush();
}

} // namespace rondo::detail
