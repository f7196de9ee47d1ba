// connection: the two halves of a stream connection.
#pragma once

#include <rondo/io/stream_reader.hpp>
#include <rondo/io/stream_writer.hpp>

namespace rondo {

///     auto [reader, writer] = co_await rondo::open_connection("example.org", 80);
struct connection {
    stream_reader reader;
    stream_writer writer;
};

} // namespace rondo
