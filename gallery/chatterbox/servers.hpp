// The two ways to serve a room.
#pragma once

#include "chatterbox/room.hpp"

#include <rondo/coro/coro.hpp>
#include <rondo/io/server.hpp>

#include <cstdint>

namespace chatterbox {

rondo::coro<rondo::server> serve_with_protocols(room& where, std::uint16_t port);
rondo::coro<rondo::server> serve_with_streams(room& where, std::uint16_t port);

} // namespace chatterbox
