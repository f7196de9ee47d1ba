#include <rondo/io/subprocess.hpp>

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>

#include "io/inbound.hpp"
#include "io/make_stream.hpp"
#include "io/process_core.hpp"
#include "io/process_start.hpp"
#include "loop/backend/backend.hpp"

#include <cerrno>
#include <csignal>
#include <new>
#include <utility>

namespace rondo {

namespace {

/// A descriptor that is closed unless somebody takes it.
class descriptor {
public:
    explicit descriptor(detail::os& o) noexcept : os_(o) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { close(); }

    void reset(int fd) noexcept {
        close();
        fd_ = fd;
    }
    int get() const noexcept { return fd_; }
    int take() noexcept { return std::exchange(fd_, -1); }
    void close() noexcept {
        if (fd_ >= 0) os_.close(take());
    }

private:
    detail::os& os_;
    int fd_ = -1;
};

/// One of the three streams: our end of a pipe, and what is open for the child's sake.
struct stream_ends {
    explicit stream_ends(detail::os& o) noexcept : ours(o), childs(o) {}
    descriptor ours;
    descriptor childs;
    int given = -1; // what the child gets
};

void require(int result, const std::string& what) {
    if (result < 0) detail::throw_os_error(-result, what);
}

/// `number`: the child's.
void prepare(stream_ends& ends, detail::os& os, const redirect& to, int number, int out_given) {
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
        const int fd = os.open_null(!childs_input);
        require(fd, "cannot open /dev/null for a subprocess");
        ends.childs.reset(fd);
        break;
    }
    case stdio::pipe: {
        std::pair<int, int> fds;
        require(os.make_pipe(childs_input ? 1 : 0, fds), "cannot make a pipe for a subprocess");
        ends.ours.reset(childs_input ? fds.second : fds.first);
        ends.childs.reset(childs_input ? fds.first : fds.second);
        break;
    }
    }
    ends.given = ends.childs.get();
}

/// The three streams of a new process, as they are before it runs.
struct three_streams {
    three_streams(detail::os& os, const subprocess_options& options) : in(os), out(os), err(os) {
        prepare(in, os, options.in, 0, -1);
        prepare(out, os, options.out, 1, -1);
        prepare(err, os, options.err, 2, out.given);
    }
    stream_ends in;
    stream_ends out;
    stream_ends err;
};

using process_ptr = detail::counted_ptr<detail::process_core>;

process_ptr own(event_loop& loop, const detail::spawned_process& child) {
    try {
        return process_ptr::adopt(new detail::process_core(loop, child));
    } catch (const std::bad_alloc&) {
        detail::os& os = detail::loop_access::backend(loop).os();
        os.send_signal(child, SIGKILL);
        os.close(child.pidfd);
        throw;
    }
}

coro<> kill_and_reap(process_ptr unwanted) {
    unwanted->abandon();
    static_cast<void>(co_await detail::process_wait_awaiter(unwanted));
}

coro<process> start(std::vector<std::string> argv, subprocess_options options) {
    if (argv.empty() || argv.front().empty()) throw value_error("a subprocess needs a program to run");
    detail::inbound::check_limit(options.limit);
    event_loop& loop = running_loop();
    detail::os& os = detail::loop_access::backend(loop).os();
    three_streams streams(os, options);

    std::string what = "cannot start '" + argv.front() + "'";
    if (options.cwd) what += " in '" + *options.cwd + "'";
    if (!options.env) options.env = os.environment(); // now: later it may be in use by somebody else
    detail::process_start starting(loop,
                                   {.argv = std::move(argv),
                                    .env = std::move(options.env),
                                    .cwd = std::move(options.cwd),
                                    .in = streams.in.given,
                                    .out = streams.out.given,
                                    .err = streams.err.given,
                                    .start_new_session = options.start_new_session,
                                    .pass_fds = std::move(options.pass_fds)},
                                   std::move(what));
    auto started = co_await as_result(starting);
    if (!started) {
        if (const auto child = starting.take_child()) { // cancelled, and it runs
            cancel_scope shield({.shield = true});
            co_await shield.run([&]() -> coro<> { co_await kill_and_reap(own(loop, *child)); });
        }
        std::rethrow_exception(started.error());
    }
    const process_ptr core = own(loop, *started);
    process made(core);
    if (streams.in.ours.get() >= 0) {
        made.in = detail::make_pipe_writer(loop, streams.in.ours.take());
        core->attach(detail::stream_access::core(*made.in));
    }
    if (streams.out.ours.get() >= 0) {
        made.out = detail::make_pipe_reader(loop, streams.out.ours.take(), options.limit);
        core->attach(*detail::stream_access::core(*made.out));
    }
    if (streams.err.ours.get() >= 0) {
        made.err = detail::make_pipe_reader(loop, streams.err.ours.take(), options.limit);
        core->attach(*detail::stream_access::core(*made.err));
    }
    co_return made;
}

coro<process_output> exchange(process* of, bytes input) {
    if (of->in && !of->in->is_closing()) {
        of->in->write_nowait(input);
        input = bytes();
        of->in->close();
    }
    // Both are received whatever the limit, so that neither pipe fills up; and both have ended when the wait has, so that
    // whoever cancels it finds everything still in the streams.
    std::optional<detail::inbound::unlimited> all_out;
    std::optional<detail::inbound::unlimited> all_err;
    if (of->out) all_out.emplace(detail::stream_access::incoming(*of->out));
    if (of->err) all_err.emplace(detail::stream_access::incoming(*of->err));
    co_await of->wait();
    process_output output;
    if (of->out) output.out = co_await of->out->read_all();
    if (of->err) output.err = co_await of->err->read_all();
    co_return output;
}

} // namespace

process& process::operator=(process&& other) noexcept {
    if (this != &other) {
        if (core_) core_->abandon();
        core_ = std::move(other.core_);
        in = std::move(other.in);
        out = std::move(other.out);
        err = std::move(other.err);
    }
    return *this;
}

process::~process() {
    if (core_) core_->abandon();
}

int process::pid() const noexcept { return core_ ? core_->pid() : 0; }
std::optional<int> process::returncode() const noexcept { return core_ ? core_->status() : std::nullopt; }

void process::send_signal(int signal) {
    const int result = core_ ? core_->send_signal(signal) : -ESRCH;
    if (result < 0)
        detail::throw_os_error(-result,
                               "cannot send signal " + std::to_string(signal) + " to process " + std::to_string(pid()));
}
void process::terminate() { send_signal(SIGTERM); }
void process::kill() { send_signal(SIGKILL); }

RONDO_CORO_WRAPPER coro<process_output> process::communicate(bytes input) { return exchange(this, std::move(input)); }

RONDO_CORO_OWNER coro<process> create_subprocess_exec(std::vector<std::string> argv, subprocess_options options) {
    return start(std::move(argv), std::move(options));
}

RONDO_CORO_OWNER coro<process> create_subprocess_shell(std::string command, subprocess_options options) {
    return start({"/bin/sh", "-c", std::move(command)}, std::move(options));
}

} // namespace rondo
