// Two streams that are connected to each other.
#pragma once

#include <rondo/io/connection.hpp>

#include <source_location>
#include <utility>

namespace rondo::sim {

/// Both ends of a connection in a simulated run, without a server: ordinary streams, 64 KiB under way in each direction. Partial
/// reads and writes, and errors, are the world's to choose as for any connection. Outside of a simulated run: runtime_error;
/// what cannot be made: std::system_error. (trio.testing.memory_stream_pair)
///
///     auto [ours, theirs] = rondo::sim::memory_stream_pair();
std::pair<connection, connection> memory_stream_pair(std::source_location where = std::source_location::current());

/// The same with room for one byte, and readers with a limit of one: who writes waits for who reads, with read() or
/// read_exactly(). (trio.testing.lockstep_stream_pair)
std::pair<connection, connection> lockstep_stream_pair(std::source_location where = std::source_location::current());

} // namespace rondo::sim
