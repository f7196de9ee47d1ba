#include "io/start_process.hpp"

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>

#include "io/process_start.hpp"
#include "loop/backend/backend.hpp"

#include <csignal>
#include <exception>
#include <new>
#include <utility>

namespace rondo::detail {

namespace {

/// One of the three streams: our end of a pipe, and what is open for the child's sake.
struct stream_ends {
    explicit stream_ends(os& o) noexcept : ours(o), childs(o) {}
    descriptor_guard ours;
    descriptor_guard childs;
    int given = -1; // what the child gets
};

/// A text and no string: nothing may fail between a descriptor and its owner.
void require(int result, const char* what) {
    if (result < 0) throw_os_error(-result, what);
}

/// `number`: the child's.
void prepare(stream_ends& ends, os& system, const redirect& to, int number, int out_given) {
    const bool childs_input = number == 0;
    if (to.fd() >= 0) {
        ends.given = to.fd();
        return;
    }
    switch (to.kind()) {
    case stdio::inherit: return;
    case stdio::to_stdout:
        if (number != 2) throw value_error("stdio::to_stdout is for the standard error of a subprocess");
        ends.given = out_given >= 0 ? out_given : 1;
        return;
    case stdio::devnull: {
        const int fd = system.open_null(!childs_input);
        require(fd, "cannot open /dev/null for a subprocess");
        ends.childs.reset(fd);
        break;
    }
    case stdio::pipe: {
        std::pair<int, int> fds;
        require(system.make_pipe(childs_input ? 1 : 0, fds), "cannot make a pipe for a subprocess");
        ends.ours.reset(childs_input ? fds.second : fds.first);
        ends.childs.reset(childs_input ? fds.first : fds.second);
        break;
    }
    }
    ends.given = ends.childs.fd();
}

/// The three streams of a new process, as they are before it runs.
struct three_streams {
    three_streams(os& system, const subprocess_options& options) : in(system), out(system), err(system) {
        prepare(in, system, options.in, 0, -1);
        prepare(out, system, options.out, 1, -1);
        prepare(err, system, options.err, 2, out.given);
    }
    stream_ends in;
    stream_ends out;
    stream_ends err;
};

counted_ptr<process_core> own(event_loop& loop, const spawned_process& child) {
    try {
        return counted_ptr<process_core>::adopt(new process_core(loop, child));
    } catch (...) {
        os& system = loop_access::backend(loop).os();
        system.send_signal(child, SIGKILL); // the kernel keeps it until this process ends
        if (child.pidfd >= 0) system.close(child.pidfd);
        throw;
    }
}

coro<> kill_and_reap(counted_ptr<process_core> unwanted) {
    unwanted->abandon();
    static_cast<void>(co_await process_wait_awaiter(unwanted));
}

} // namespace

std::vector<std::string> shell_arguments(std::string command, const subprocess_options& options) {
    return {options.executable.value_or("/bin/sh"), "-c", std::move(command)};
}

coro<started_process> start_process(event_loop& loop, std::vector<std::string> argv, subprocess_options options) {
    if (argv.empty() || argv.front().empty() || (options.executable && options.executable->empty()))
        throw value_error("a subprocess needs a program to run");
    os& system = loop_access::backend(loop).os();
    three_streams streams(system, options);

    std::string what = "cannot start '" + options.executable.value_or(argv.front()) + "'";
    if (options.cwd) what += " in '" + *options.cwd + "'";
    if (!options.env) options.env = system.environment(); // now: later it may be in use by somebody else
    process_start starting(loop,
                           {.argv = std::move(argv),
                            .env = std::move(options.env),
                            .cwd = std::move(options.cwd),
                            .in = streams.in.given,
                            .out = streams.out.given,
                            .err = streams.err.given,
                            .start_new_session = options.start_new_session,
                            .pass_fds = std::move(options.pass_fds),
                            .executable = std::move(options.executable),
                            .process_group = options.process_group,
                            .user = options.user,
                            .group = options.group,
                            .extra_groups = std::move(options.extra_groups),
                            .umask = options.umask},
                           std::move(what));
    auto running = co_await as_result(starting);
    if (!running) {
        if (const auto child = starting.take_child()) { // cancelled, and it runs
            cancel_scope shield({.shield = true});
            co_await shield.run([&]() -> coro<> { co_await kill_and_reap(own(loop, *child)); });
        }
        std::rethrow_exception(running.error());
    }
    started_process started(own(loop, *running), system);
    started.in = std::move(streams.in.ours);
    started.out = std::move(streams.out.ours);
    started.err = std::move(streams.err.ours);
    co_return started;
}

} // namespace rondo::detail
