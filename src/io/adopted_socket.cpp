#include "io/adopted_socket.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <string>

#include <sys/socket.h>

namespace rondo::detail {

int adopt_socket(event_loop& loop, int fd, int type, const char* method) {
    os& sockets = loop_access::backend(loop).os();
    const std::string what = std::string(method) + ": fd " + std::to_string(fd);
    int found = 0;
    if (sockets.get_option(fd, SOL_SOCKET, SO_TYPE, found) < 0 || found != type)
        throw value_error(what + " is not a " + (type == SOCK_STREAM ? "stream" : "datagram") + " socket");
    int family = AF_UNSPEC;
    sockets.get_option(fd, SOL_SOCKET, SO_DOMAIN, family);
    if (const int result = sockets.adopt_pipe(fd, false); result < 0) throw_os_error(-result, what);
    return family;
}

void check_family(event_loop& loop, int fd, int family, const char* method) {
    int found = AF_UNSPEC;
    loop_access::backend(loop).os().get_option(fd, SOL_SOCKET, SO_DOMAIN, found);
    if (found != family)
        throw value_error(std::string(method) + ": fd " + std::to_string(fd) + " is not a socket of the right family");
}

stream_kind stream_kind_of(int family) noexcept {
    return family == AF_UNIX ? stream_kind::unix_socket : stream_kind::tcp;
}

} // namespace rondo::detail
