// subprocess_transport: the reins of a child process that has a protocol.
#pragma once

#include <rondo/io/transport.hpp>

#include <optional>

namespace rondo {

/// close() disconnects the pipes at once, dropping what is still queued for the child's input, and kills a process that still
/// runs; connection_lost(null) comes when it was reaped. abort() is the same. There are no addresses, and fd() is -1: the
/// descriptors are those of the pipes. Dropping the handle leaves the process alone. (asyncio.SubprocessTransport)
class subprocess_transport : public base_transport {
public:
    virtual int get_pid() const noexcept = 0;
    /// Not set while it runs; negative: the signal that ended it; 255, and a report, when somebody else has taken the status.
    virtual std::optional<int> get_returncode() const noexcept = 0;
    /// The transport of the child's input (0, to be written to), output (1) or error output (2); null when that is no pipe. It is
    /// valid as long as this is. Reading can be paused and the input ended there.
    virtual rondo::transport* get_pipe_transport(int fd) const noexcept = 0;
    /// process_lookup_error when it has ended.
    virtual void send_signal(int signal) = 0;
    virtual void terminate() = 0;
    virtual void kill() = 0;
};

} // namespace rondo
