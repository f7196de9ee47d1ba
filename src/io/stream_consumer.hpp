// Who takes what a connection receives: the buffer of a stream_reader, or a protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>

namespace rondo::detail {

/// now: somebody waits for it. ahead: it may come. none: not before the consumer says stream_core::consumed().
enum class appetite : std::uint8_t { none, ahead, now };

/// Where the next bytes go. size 0: nowhere now. at null: into a block of the pool, of so many bytes, once there are some.
struct receive_room {
    std::byte* at = nullptr;
    std::size_t size = 0;
};

/// Called by a stream_core, in this order: any number of room() - received() pairs; at most one ended(); lost(), last.
class stream_consumer {
public:
    /// Of a pipe that is written to: anything but none asks for the news that nobody reads any more.
    virtual appetite wants() const noexcept = 0;
    /// The memory stays in place until received(). A block is asked for only where stream_core::gives_blocks(). Throws
    /// std::bad_alloc.
    virtual receive_room room() = 0;
    /// So many bytes were put there; 0 when nothing came. `at`: the room that was given, or the block, which is the consumer's now.
    virtual void received(std::size_t n, std::byte* at) noexcept = 0;
    /// The other side sends no more.
    virtual void ended() noexcept = 0;
    /// The connection is gone: by an error, or because it was closed here (null).
    virtual void lost(const std::exception_ptr& error) noexcept = 0;

protected:
    ~stream_consumer() = default;
};

} // namespace rondo::detail
