// A socket that the program has made, and gives to the loop.
#pragma once

#include "io/stream_core.hpp"

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// Makes it non-blocking and gives its address family. value_error when it is no socket of this type (SOCK_*); it is the caller's
/// until this has returned.
int adopt_socket(event_loop& loop, int fd, int type, const char* method);
/// value_error when it is of another one.
void check_family(event_loop& loop, int fd, int family, const char* method);

stream_kind stream_kind_of(int family) noexcept;

} // namespace rondo::detail
