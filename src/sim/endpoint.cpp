#include "sim/endpoint.hpp"

namespace rondo::sim::detail {

std::string endpoint::describe() const {
    const std::string number = " (fd " + std::to_string(fd) + ")";
    switch (kind) {
    case endpoint_kind::listening: return "a listening socket on " + local.str() + number;
    case endpoint_kind::stream: return "a connection from " + local.str() + " to " + peer.str() + number;
    case endpoint_kind::reading_pipe: return "the reading end of a pipe" + number;
    case endpoint_kind::writing_pipe: return "the writing end of a pipe" + number;
    case endpoint_kind::datagrams: return "a datagram socket on " + local.str() + number;
    case endpoint_kind::fresh:
    case endpoint_kind::dead: break;
    }
    return "a socket" + number;
}

} // namespace rondo::sim::detail
