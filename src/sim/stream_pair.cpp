#include <rondo/sim/stream_pair.hpp>

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/descriptor_guard.hpp"
#include "io/make_stream.hpp"
#include "sim/simulation.hpp"

#include <cstddef>

namespace rondo::sim {

namespace {

std::pair<connection, connection> stream_pair(std::size_t window, std::size_t limit) {
    auto& here = static_cast<detail::simulation&>(world());
    std::pair<int, int> ends;
    if (const int error = here.network.make_pair(window, ends))
        rondo::detail::throw_os_error(-error, "a pair of streams");
    event_loop& loop = running_loop();
    rondo::detail::descriptor_guard other(loop, ends.second);
    using rondo::detail::make_connection;
    using rondo::detail::stream_kind;
    connection first = make_connection(loop, ends.first, stream_kind::unix_socket, address(), limit);
    connection second = make_connection(loop, other.take(), stream_kind::unix_socket, address(), limit);
    return {std::move(first), std::move(second)};
}

} // namespace

std::pair<connection, connection> memory_stream_pair() { return stream_pair(65536, default_limit); }
std::pair<connection, connection> lockstep_stream_pair() {
    std::pair<connection, connection> both = stream_pair(1, 1);
    for (connection* end : {&both.first, &both.second}) end->writer.transport().set_write_buffer_limits({.high = 0});
    return both;
}

} // namespace rondo::sim
