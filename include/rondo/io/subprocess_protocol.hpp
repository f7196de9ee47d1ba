// subprocess_protocol: what a child process tells, as callbacks.
#pragma once

#include <rondo/io/protocol.hpp>

#include <cstddef>
#include <exception>
#include <span>

namespace rondo {

class subprocess_transport;

/// Called as base_protocol says: connection_made first; connection_lost last, once the process has ended and all its pipes are
/// lost (with an error only when the loop was closed before it had ended). In between, for each pipe, its data before its loss;
/// process_exited may come before or after those. pause_writing and resume_writing are about the child's input. What any of them
/// throws goes to the exception handler, and the process goes on.
/// (asyncio.SubprocessProtocol)
///
///     struct collector : rondo::subprocess_protocol {
///         void pipe_data_received(int, std::span<const std::byte> data) override { text += rondo::bytes_view(data).view(); }
///         void connection_lost(std::exception_ptr) override { over.set(); }
///         std::string text;
///         rondo::event over;
///     };
class subprocess_protocol : public base_protocol {
public:
    virtual void connection_made(subprocess_transport& t);
    /// From the child's standard output (1) or standard error (2): at least one byte; valid during the call.
    virtual void pipe_data_received(int fd, std::span<const std::byte> data);
    /// Once for each pipe: 0, 1 or 2. Null: it has ended in order, or was closed here.
    virtual void pipe_connection_lost(int fd, std::exception_ptr error);
    /// subprocess_transport::get_returncode() says how.
    virtual void process_exited();
};

} // namespace rondo
