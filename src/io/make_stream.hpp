// Streams from descriptors. Each takes the descriptor over, and closes it when it throws; `where`: who asked for it.
#pragma once

#include <rondo/io/connection.hpp>

#include "io/stream_core.hpp"

#include <cstddef>
#include <source_location>

namespace rondo::detail {

/// A connected socket.
connection make_connection(event_loop& loop, int fd, stream_kind kind, address peer, std::size_t limit,
                           std::source_location where);
/// The two ends that a parent may have of its child's pipes.
stream_reader make_pipe_reader(event_loop& loop, int fd, std::size_t limit, std::source_location where);
stream_writer make_pipe_writer(event_loop& loop, int fd, std::source_location where);

/// What a half is a half of.
struct stream_access {
    /// runtime_error for a reader that was moved from.
    static inbound& incoming(const stream_reader& reader);
    /// Null for a reader in memory.
    static stream_core* core(const stream_reader& reader) noexcept;
    static stream_core& core(const stream_writer& writer) noexcept { return *writer.to_; }
};

} // namespace rondo::detail
