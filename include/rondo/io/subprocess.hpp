// Subprocesses: create_subprocess_exec and create_subprocess_shell.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/bytes.hpp>
#include <rondo/io/detail/process_wait_awaiter.hpp>
#include <rondo/io/stream_reader.hpp>
#include <rondo/io/stream_writer.hpp>
#include <rondo/io/subprocess_options.hpp>

#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace rondo {

/// What communicate() has read; nullopt for what is not a pipe.
struct process_output {
    std::optional<bytes> out = std::nullopt;
    std::optional<bytes> err = std::nullopt;
};

/// A child process. Its pipes are streams: in is written to, out and err are read. Move-only; belongs to the loop's thread;
/// communicate() needs it to stay where it is. (asyncio.subprocess.Process)
///
///     auto date = co_await rondo::create_subprocess_exec({"date"}, {.out = rondo::stdio::pipe});
///     auto output = co_await date.communicate();
class process {
public:
    explicit process(detail::counted_ptr<detail::process_core> core) noexcept : core_(std::move(core)) {}
    process(process&& other) noexcept = default;
    process& operator=(process&& other) noexcept;
    /// One that still runs is killed, and reaped by the loop.
    ~process();

    std::optional<stream_writer> in;
    std::optional<stream_reader> out;
    std::optional<stream_reader> err;

    int pid() const noexcept;
    /// Not set while it runs; negative: the signal that ended it. 255, and a report to the exception handler, when somebody
    /// else has taken the status.
    std::optional<int> returncode() const noexcept;
    /// The return code, once the process has ended and its pipes are disconnected. Any number of tasks; cancelling it leaves
    /// the process alone. With a pipe that is full and not read it never ends: read, or use communicate().
    detail::process_wait_awaiter wait() { return detail::process_wait_awaiter(core_); }
    /// Writes `input` to in and closes it, reads out and err to their ends, all at the same time, then waits. A child that does
    /// not read its input is no error; any other of writing it is thrown then. Everything is kept in memory. Cancelled or failed,
    /// what was read is still in out and err.
    coro<process_output> communicate(bytes input = {});
    /// process_lookup_error when it has ended.
    void send_signal(int signal);
    void terminate();
    void kill();

private:
    detail::counted_ptr<detail::process_core> core_;
};

/// Starts a program, looked for in PATH; the signals that it inherits have their default actions, as far as they were not
/// ignored here (SIGPIPE has it always), and no descriptor but the given ones. std::system_error when it cannot be started,
/// value_error for options that make no sense.
///
/// Suspends until the new process runs its program: a busy machine takes milliseconds for that, so a thread of the loop's
/// starts it. Until then descriptors that were given are borrowed. Cancelled, it kills and reaps the process first. Its end
/// is heard of by a pidfd; where the kernel gives none, by a thread that waits for it.
coro<process> create_subprocess_exec(std::vector<std::string> argv, subprocess_options options = {},
                                     std::source_location where = std::source_location::current());
/// The same with /bin/sh -c. Quoting is the caller's.
coro<process> create_subprocess_shell(std::string command, subprocess_options options = {},
                                      std::source_location where = std::source_location::current());

} // namespace rondo
