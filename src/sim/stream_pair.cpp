#include <rondo/sim/stream_pair.hpp>

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/descriptor_guard.hpp"
#include "io/make_stream.hpp"
#include "sim/simulation.hpp"

#include <cstddef>
#include <source_location>

namespace rondo::sim {

namespace {

std::pair<connection, connection> stream_pair(std::size_t window, std::size_t limit, std::source_location where) {
    auto& here = static_cast<detail::simulation&>(world());
    std::pair<int, int> ends;
    if (const int error = here.network.make_pair(window, ends))
        rondo::detail::throw_os_error(-error, "a pair of streams");
    event_loop& loop = running_loop();
    rondo::detail::descriptor_guard other(loop, ends.second);
    using rondo::detail::make_connection;
    using rondo::detail::stream_kind;
    connection first = make_connection(loop, ends.first, stream_kind::unix_socket, address(), limit, where);
    connection second = make_connection(loop, other.take(), stream_kind::unix_socket, address(), limit, where);
    return {std::move(first), std::move(second)};
}

} // namespace

std::pair<connection, connection> memory_stream_pair(std::source_location where) {
    return stream_pair(65536, default_limit, where);
}
std::pair<connection, connection> lockstep_stream_pair(std::source_location where) {
    std::pair<connection, connection> both = stream_pair(1, 1, where);
    for (connection* end : {&both.first, &both.second}) end->writer.transport().set_write_buffer_limits({.high = 0});
    return both;
}

} // namespace rondo::sim
