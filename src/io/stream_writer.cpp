#include <rondo/io/stream_writer.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/report_unclosed.hpp"
#include "io/stream_core.hpp"

#include <utility>

namespace rondo {

namespace {

detail::stream_core& required(const detail::counted_ptr<detail::stream_core>& to) {
    if (!to) throw runtime_error("this stream_writer was moved from");
    return *to;
}

void let_go(const detail::counted_ptr<detail::stream_core>& to) noexcept {
    if (!to || to->is_closing()) return;
    if (to->loop().debug())
        detail::report_unclosed("a stream_writer that was destroyed", to->describe(), to->made_at());
    to->close();
}

} // namespace

stream_writer& stream_writer::operator=(stream_writer&& other) noexcept {
    if (this != &other) {
        let_go(to_);
        to_ = std::move(other.to_);
    }
    return *this;
}

stream_writer::~stream_writer() { let_go(to_); }

void stream_writer::write_nowait(bytes_view data) {
    detail::stream_core& to = required(to_);
    if (to.eof_requested()) throw runtime_error("write_nowait() after write_eof()");
    if (to.is_lent()) throw runtime_error("write_nowait() during a sendfile() (" + to.describe() + ")");
    to.send_copy(std::span<const bytes_view>(&data, 1));
}

void stream_writer::write_eof() { required(to_).write_eof(); }
bool stream_writer::can_write_eof() const noexcept { return to_ && to_->can_write_eof(); }
void stream_writer::close() { required(to_).close(); }
bool stream_writer::is_closing() const noexcept { return !to_ || to_->is_closing(); }
transport& stream_writer::transport() const noexcept { return to_->face(); }
address stream_writer::peer_address() const { return required(to_).peer_address(); }
address stream_writer::local_address() const { return required(to_).local_address(); }

} // namespace rondo
