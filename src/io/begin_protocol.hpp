// From a descriptor and a factory to a protocol that was told of its connection.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/create_connection.hpp>

#include "io/descriptor_guard.hpp"
#include "io/protocol_stream.hpp"

namespace rondo::detail {

/// Takes the descriptor over when it is awaited. Ends when connection_made() has returned; cancelled before, it closes.
coro<endpoint<protocol>> begin_protocol(event_loop& loop, stream_factory factory, int fd, stream_kind kind,
                                        address peer, std::source_location where, bool expects_news = true);

} // namespace rondo::detail
