// check_stream(): a way of connecting two streams, in hundreds of worlds.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/connection.hpp>
#include <rondo/sim/run.hpp>

#include <functional>
#include <utility>

namespace rondo::sim {

/// Gives two ends that are connected; called inside of each run.
using stream_pair_factory = std::function<coro<std::pair<connection, connection>>()>;

/// Explores what every stream has to keep: bytes arrive whole and in order, in both directions at once; the end of one direction
/// leaves the other open; a read that was cancelled has lost nothing; who does not read holds the writer back; after the other side
/// has closed comes the end. (trio.testing.check_two_way_stream, check_half_closeable_stream)
///
///     const auto checked = rondo::sim::check_stream([]() -> rondo::coro<std::pair<rondo::connection, rondo::connection>> {
///         co_return rondo::sim::memory_stream_pair();
///     });
exploration check_stream(const stream_pair_factory& make, const options& how = {});

} // namespace rondo::sim
