#include "io/stream_transport.hpp"

#include <rondo/coro/exceptions.hpp>

#include "io/stream_core.hpp"

#include <string>

namespace rondo {

base_transport::~base_transport() = default;

namespace detail {

std::pair<std::size_t, std::size_t> checked_limits(const write_limits& wanted) {
    const std::size_t high = wanted.high ? *wanted.high : wanted.low ? 4 * *wanted.low : stream_core::high_water;
    const std::size_t low = wanted.low.value_or(high / 4);
    if (low > high) {
        throw value_error("the low-water mark of " + std::to_string(low) + " bytes is above the high-water mark of " +
                          std::to_string(high));
    }
    return {low, high};
}

void stream_transport::close() { stream_.close(); }
void stream_transport::abort() { stream_.abort(nullptr); }
bool stream_transport::is_closing() const noexcept { return stream_.is_closing(); }
address stream_transport::peer_address() const { return stream_.peer_address(); }
address stream_transport::local_address() const { return stream_.local_address(); }
int stream_transport::fd() const noexcept { return stream_.descriptor(); }

void stream_transport::write(bytes_view data) { writelines(std::span<const bytes_view>(&data, 1)); }

void stream_transport::writelines(std::span<const bytes_view> pieces) {
    if (stream_.eof_requested()) throw runtime_error("write() after write_eof()");
    if (stream_.kind() == stream_kind::read_pipe)
        throw runtime_error("write() on the reading end of a pipe (" + stream_.describe() + ")");
    if (stream_.is_lent()) throw runtime_error("write() during a sendfile() (" + stream_.describe() + ")");
    stream_.send_copy(pieces);
}

void stream_transport::write_eof() {
    if (!stream_.can_write_eof())
        throw runtime_error("write_eof() on the reading end of a pipe (" + stream_.describe() + ")");
    stream_.write_eof();
}
bool stream_transport::can_write_eof() const noexcept { return stream_.can_write_eof(); }

void stream_transport::set_write_buffer_limits(write_limits limits) {
    const auto [low, high] = checked_limits(limits);
    stream_.set_limits(low, high);
}
std::pair<std::size_t, std::size_t> stream_transport::get_write_buffer_limits() const noexcept {
    return stream_.limits();
}
std::size_t stream_transport::get_write_buffer_size() const noexcept { return stream_.queued(); }

void writer_transport::resume_reading() {
    paused_ = false;
    stream().consumed();
}
void writer_transport::set_protocol(std::shared_ptr<protocol>) {
    throw runtime_error("set_protocol(): a stream_reader receives from this transport");
}

} // namespace detail
} // namespace rondo
