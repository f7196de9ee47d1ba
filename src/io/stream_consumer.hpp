// Who takes what a connection receives: the buffer of a stream_reader, or a protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>

namespace rondo::detail {

/// now: somebody waits for it. ahead: it may come. none: not before the consumer says stream_core::consumed().
enum class appetite : std::uint8_t { none, ahead, now };

/// Called by a stream_core, in this order: any number of room() - received() pairs; at most one ended(); lost(), last.
class stream_consumer {
public:
    /// Of a pipe that is written to: anything but none asks for the news that nobody reads any more.
    virtual appetite wants() const noexcept = 0;
    /// Where the next bytes go. The memory stays in place until received(). Empty: nowhere now. Throws std::bad_alloc.
    virtual std::span<std::byte> room() = 0;
    /// So many bytes were put there; 0 when nothing came.
    virtual void received(std::size_t n) noexcept = 0;
    /// The other side sends no more.
    virtual void ended() noexcept = 0;
    /// The connection is gone: by an error, or because it was closed here (null).
    virtual void lost(const std::exception_ptr& error) noexcept = 0;

protected:
    ~stream_consumer() = default;
};

} // namespace rondo::detail
