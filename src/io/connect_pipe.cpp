#include <rondo/io/connect_pipe.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>

#include "io/begin_protocol.hpp"
#include "io/running_here.hpp"

#include <cerrno>
#include <string>
#include <utility>

namespace rondo::detail {

namespace {

/// False: the other end tells nothing.
bool adopt(event_loop& loop, int fd, bool for_writing, const char* method) {
    check_runs_here(loop, method);
    const int result = loop_access::backend(loop).os().adopt_pipe(fd, for_writing);
    const std::string what = std::string(method) + " (fd " + std::to_string(fd) + ")";
    if (result == -EINVAL || result == -EBADF)
        throw value_error(what + ": not a pipe, FIFO, socket or character device");
    if (result < 0) throw_os_error(-result, what);
    return result == 1;
}

} // namespace

coro<endpoint<protocol>> connect_read_pipe(event_loop& loop, stream_factory factory, int fd,
                                           std::source_location where) {
    adopt(loop, fd, false, "connect_read_pipe()");
    co_return co_await begin_protocol(loop, std::move(factory), fd, stream_kind::read_pipe, address(), where);
}

coro<endpoint<protocol>> connect_write_pipe(event_loop& loop, stream_factory factory, int fd,
                                            std::source_location where) {
    const bool tells = adopt(loop, fd, true, "connect_write_pipe()");
    co_return co_await begin_protocol(loop, std::move(factory), fd, stream_kind::write_pipe, address(), where, tells);
}

} // namespace rondo::detail
