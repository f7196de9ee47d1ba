// Connecting that forgets to close the socket when it fails.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <sys/socket.h>

namespace rondo::test {

inline coro<> leaky_dial(address to) {
    event_loop& loop = running_loop();
    detail::os& os = detail::loop_access::backend(loop).os();
    const int fd = os.open_socket(AF_INET, SOCK_STREAM, 0);
    co_await loop.sock_connect(fd, to);
    os.close(fd);
}

} // namespace rondo::test
