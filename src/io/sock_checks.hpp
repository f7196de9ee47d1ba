// What the operations on a program's own sockets look at before and after.
#pragma once

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/running_here.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace rondo::detail {

inline std::string with_fd(const char* method, int fd) {
    return std::string(method) + " (fd " + std::to_string(fd) + ")";
}

inline void check_non_blocking(event_loop& loop, int fd, const char* method) {
    if (loop_access::backend(loop).os().is_non_blocking(fd) == 0)
        throw value_error(std::string(method) + ": the socket must be non-blocking (fd " + std::to_string(fd) + ")");
}

/// runtime_error in another loop; in debug mode value_error for a socket that blocks.
inline void check_socket(event_loop& loop, int fd, const char* method) {
    check_runs_here(loop, method);
    if (loop.debug()) check_non_blocking(loop, fd, method);
}

/// The result of an operation; a negative one is thrown.
inline std::size_t checked(std::int64_t result, const char* method, int fd) {
    if (result < 0) throw_os_error(static_cast<int>(-result), with_fd(method, fd));
    return static_cast<std::size_t>(result);
}

} // namespace rondo::detail
