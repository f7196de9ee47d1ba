#include <rondo/io/subprocess.hpp>

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/as_result.hpp>

#include "io/inbound.hpp"
#include "io/make_stream.hpp"
#include "io/start_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <utility>

namespace rondo {

namespace {

coro<process> start(std::vector<std::string> argv, subprocess_options options, std::source_location where) {
    detail::inbound::check_limit(options.limit);
    event_loop& loop = running_loop();
    const std::size_t limit = options.limit;
    detail::started_process started = co_await detail::start_process(loop, std::move(argv), std::move(options));
    detail::process_core& core = *started.core;
    process made(std::move(started.core));
    if (started.in.fd() >= 0) {
        made.in = detail::make_pipe_writer(loop, started.in.take(), where);
        core.attach(detail::stream_access::core(*made.in));
    }
    if (started.out.fd() >= 0) {
        made.out = detail::make_pipe_reader(loop, started.out.take(), limit, where);
        core.attach(*detail::stream_access::core(*made.out));
    }
    if (started.err.fd() >= 0) {
        made.err = detail::make_pipe_reader(loop, started.err.take(), limit, where);
        core.attach(*detail::stream_access::core(*made.err));
    }
    co_return made;
}

/// A child that does not read its input is no error. Anything else is: part of it may never have come to the child.
coro<> check_input(stream_writer& in) {
    const result<void> closed = co_await as_result(in.wait_closed());
    if (!closed.holds<broken_pipe_error>() && !closed.holds<connection_reset_error>()) closed.value();
}

coro<process_output> exchange(process* of, bytes input) {
    const bool writes = of->in && !of->in->is_closing();
    if (writes) {
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
    if (writes) co_await check_input(*of->in);
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
    if (!core_) detail::throw_os_error(ESRCH, "this process was moved from");
    core_->send_signal(signal);
}
void process::terminate() { send_signal(SIGTERM); }
void process::kill() { send_signal(SIGKILL); }

RONDO_CORO_WRAPPER coro<process_output> process::communicate(bytes input) { return exchange(this, std::move(input)); }

RONDO_CORO_OWNER coro<process> create_subprocess_exec(std::vector<std::string> argv, subprocess_options options,
                                                      std::source_location where) {
    return start(std::move(argv), std::move(options), where);
}

RONDO_CORO_OWNER coro<process> create_subprocess_shell(std::string command, subprocess_options options,
                                                       std::source_location where) {
    std::vector<std::string> argv = detail::shell_arguments(std::move(command), options);
    return start(std::move(argv), std::move(options), where);
}

} // namespace rondo
