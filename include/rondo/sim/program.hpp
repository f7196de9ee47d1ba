// Programs of a simulated world: what create_subprocess_exec() starts there.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/stream_reader.hpp>
#include <rondo/io/stream_writer.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rondo::sim {

/// What a simulated process was started with. Its streams are its own ends of its parent's pipes, and not there where the
/// parent has made none.
struct invocation {
    int pid = 0;
    std::vector<std::string> argv = {};
    std::map<std::string, std::string> env = {};
    std::string directory = "/";
    std::optional<stream_reader> in = std::nullopt;
    std::optional<stream_writer> out = std::nullopt;
    std::optional<stream_writer> err = std::nullopt;
};

/// The life of a process, as a task of the run's loop; it gives the exit status. A signal that kills it cancels the task, and the
/// process has ended when the task has: what the program does until then happens. What it throws is SIGABRT, as where nobody
/// catches it. Called once for each process; it must not refer to what may be gone before the process.
///
///     rondo::sim::world().add_program("/bin/cat", [](rondo::sim::invocation me) -> rondo::coro<int> {
///         while (auto line = co_await me.in->read_line()) co_await me.out->write(*line);
///         co_return 0;
///     });
using program = std::function<coro<int>(invocation)>;

} // namespace rondo::sim
