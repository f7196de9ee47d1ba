#include "io/protocol_stream.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/descriptor_guard.hpp"
#include "io/report_unclosed.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace rondo::detail {

void retain(protocol_stream& s) noexcept { s.add_reference(); }
void release(protocol_stream& s) noexcept { s.drop_reference(); }

counted_ptr<protocol_stream> protocol_stream::make(event_loop& loop, int fd, stream_kind kind, address peer,
                                                   std::source_location where) {
    descriptor_guard guard(loop, fd);
    auto made = counted_ptr<protocol_stream>::adopt(new protocol_stream(loop, fd, kind, std::move(peer), where));
    guard.taken();
    return made;
}

protocol_stream::protocol_stream(event_loop& loop, int fd, stream_kind kind, address peer, std::source_location where)
    : stream_core(loop, fd, kind, std::move(peer), where), protocol_caller(loop, static_cast<shared_core&>(*this)) {
    start(*this);
}

void protocol_stream::begin(std::shared_ptr<rondo::protocol> p, future<> made) noexcept {
    set_protocol(std::move(p));
    made_ = std::move(made);
    begun_ = true;
    add_reference();
    tell_soon();
}

std::shared_ptr<rondo::transport> protocol_stream::transport() {
    return {&transport_, [keep = counted_ptr<protocol_stream>(this)](rondo::transport*) mutable { keep = {}; }};
}

void protocol_stream::set_protocol(std::shared_ptr<rondo::protocol> p) noexcept {
    if (lost_told_ || p == protocol_) return;
    protocol_ = std::move(p);
    buffered_ = dynamic_cast<buffered_protocol*>(protocol_.get());
    if (!lender_) return;
    if (filled_ > 0) take_lent_data();
    else interrupt_receiving();
}

// What the transport is told

void protocol_stream::stop() noexcept {
    stopped_ = true;
    close();
    if (lost_ && !lost_told_) tell_soon(); // the news were held back because reading was paused
}

void protocol_stream::break_off() noexcept {
    stopped_ = true;
    abort(nullptr);
    if (lost_ && !lost_told_) tell_soon();
}

void protocol_stream::pause_reading() noexcept {
    reading_ = false;
    if (write_error()) abort(write_error()); // nothing would tell of it
}

void protocol_stream::resume_reading() noexcept {
    if (std::exchange(reading_, true) || lost_told_) return;
    tell_soon();
    consumed();
}

// What the connection tells

appetite protocol_stream::wants() const noexcept {
    if (kind() == stream_kind::write_pipe) return made_told_ && expects_news_ ? appetite::ahead : appetite::none;
    return made_told_ && may_tell() && unread_.empty() && filled_ == 0 && !ended_ ? appetite::now : appetite::none;
}

receive_room protocol_stream::room() {
    if (!buffered_) return unread_.room(0, gives_blocks());
    lender_ = protocol_;
    std::exception_ptr error = call([this] { lent_ = lent_buffer(receive_buffer::largest_guess); });
    if (lent_.empty()) {
        const std::shared_ptr<rondo::protocol> of = std::exchange(lender_, nullptr);
        if (error) failed("get_buffer()", of, std::move(error));
        else tell_soon(); // it was an exit request: once more, should the loop run again
    }
    return {lent_.data(), lent_.size()};
}

std::span<std::byte> protocol_stream::lent_buffer(std::size_t hint) {
    const std::span<std::byte> buffer = buffered_->get_buffer(hint);
    if (buffer.empty()) throw runtime_error("get_buffer() has given an empty buffer");
    return buffer;
}

void protocol_stream::received(std::size_t n, std::byte* at) noexcept {
    if (lender_) {
        filled_ = n;
        if (n == 0 || lender_ != protocol_) take_lent_data();
    } else {
        try {
            unread_.received(n, at);
        } catch (const std::bad_alloc&) {
            abort(std::current_exception());
        }
    }
    if (n > 0) tell_soon();
}

/// The buffer goes back. What is in it is for another protocol.
void protocol_stream::take_lent_data() noexcept {
    try {
        unread_.append(bytes_view(lent_.first(filled_)));
    } catch (const std::bad_alloc&) {
        abort(std::current_exception());
    }
    filled_ = 0;
    lent_ = {};
    lender_ = nullptr;
}

void protocol_stream::ended() noexcept {
    ended_ = true;
    tell_soon();
}

void protocol_stream::lost(const std::exception_ptr& error) noexcept {
    lost_ = true;
    loss_ = error;
    if (begun_) tell_soon();
}

void protocol_stream::fullness_changed() noexcept {
    if (!is_full()) {
        if (writing_paused_) tell_soon();
    } else if (!std::exchange(writing_paused_, true)) {
        const std::shared_ptr<rondo::protocol> to = protocol_;
        call_and_report("pause_writing()", to, [&] { to->pause_writing(); });
    }
}

// What the protocol is told

void protocol_stream::tell() noexcept {
    const counted_ptr<protocol_stream> keep(this);
    if (!begun_ || lost_told_) return;
    if (made_told_) {
        tell_data();
        tell_end_of_data();
        tell_room();
        receive();
    } else {
        tell_made();
        consumed(); // reading begins in the callback after this one, which connection_made() may have paused
    }
    tell_lost();
}

void protocol_stream::tell_made() noexcept {
    made_told_ = true;
    const std::shared_ptr<rondo::protocol> to = protocol_;
    call_and_report("connection_made()", to, [&] { to->connection_made(transport_); });
    if (made_) std::exchange(made_, {}).try_set_result();
}

void protocol_stream::tell_data() noexcept {
    if (may_tell() && filled_ > 0) tell_lent_data();
    while (may_tell() && !unread_.empty()) {
        const std::shared_ptr<rondo::protocol> to = protocol_;
        const bool buffered = buffered_ != nullptr;
        std::exception_ptr error;
        if (buffered) {
            error = call([this] { fill_buffer(); });
        } else {
            const bytes_view data = unread_.unread();
            error = call([&] { to->data_received(data); });
            unread_.discard(data.size());
        }
        if (error) failed(buffered ? "buffer_updated()" : "data_received()", to, std::move(error));
    }
}

void protocol_stream::tell_lent_data() noexcept {
    const std::shared_ptr<rondo::protocol> to = std::exchange(lender_, nullptr);
    const std::size_t n = std::exchange(filled_, 0);
    lent_ = {};
    buffered_protocol& receiver = *buffered_;
    std::exception_ptr error = call([&] { receiver.buffer_updated(n); });
    if (error) failed("buffer_updated()", to, std::move(error));
}

/// What had come before this protocol did.
void protocol_stream::fill_buffer() {
    buffered_protocol& to = *buffered_;
    const std::span<std::byte> buffer = lent_buffer(unread_.size());
    const std::size_t n = std::min(buffer.size(), unread_.size());
    unread_.copy_out(buffer.data(), n);
    to.buffer_updated(n);
}

void protocol_stream::tell_end_of_data() noexcept {
    if (!ended_ || end_told_ || !may_tell() || !unread_.empty() || filled_ > 0) return;
    end_told_ = true;
    const std::shared_ptr<rondo::protocol> to = protocol_;
    bool stays_open = false;
    std::exception_ptr error = call([&] { stays_open = to->eof_received(); });
    if (error) failed("eof_received()", to, std::move(error));
    else if (!stays_open) stop();
}

void protocol_stream::tell_room() noexcept {
    if (!writing_paused_ || is_full() || lost_) return;
    writing_paused_ = false;
    const std::shared_ptr<rondo::protocol> to = protocol_;
    call_and_report("resume_writing()", to, [&] { to->resume_writing(); });
}

/// The end by the other side comes after its data, and so is held back with that while reading is paused.
void protocol_stream::tell_lost() noexcept {
    const bool more_to_tell = !unread_.empty() || filled_ > 0 || (ended_ && !end_told_);
    if (!lost_ || (more_to_tell && !reading_ && !stopped_ && !loop_has_ended())) return;
    lost_told_ = true;
    const std::shared_ptr<rondo::protocol> to = std::exchange(protocol_, nullptr);
    buffered_ = nullptr;
    unread_.release();
    lender_ = nullptr;
    call_and_report("connection_lost()", to, [&] { to->connection_lost(loss_); });
    drop_reference();
}

void protocol_stream::failed(const char* callback, const std::shared_ptr<rondo::protocol>& of,
                             std::exception_ptr error) noexcept {
    report(callback, of, error);
    stopped_ = true;
    abort(error);
}

void protocol_stream::complete(error_report& about) noexcept {
    about.transport = &transport_;
    about.any_transport = &transport_;
    about.socket = descriptor();
    if (made_at().line() != 0) about.created_at = made_at();
}

void protocol_stream::loop_is_closing() noexcept {
    if (loop().debug() && begun_ && !is_closing()) report_unclosed("a transport", describe(), made_at());
    stop();
}

} // namespace rondo::detail
