#include "sim/processes.hpp"

#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/launch.hpp>

#include "io/make_stream.hpp"
#include "sim/labels.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <source_location>
#include <utility>

#include <poll.h>

namespace rondo::sim::detail {

namespace {

using namespace std::chrono_literals;
using rondo::detail::operation;
using rondo::detail::spawn_request;
using rondo::detail::spawned_process;

constexpr int first_pid = 5001;
constexpr int first_pidfd = 200'000; // of the process first_pid; the others follow
constexpr int last_pidfd = 299'999;
constexpr std::array<duration, 4> signal_times{0ns, 1ms, 100ms, 1s};
constexpr std::array<duration, 4> reaping_times{0ns, 1ms, 100ms, 2s};
constexpr std::array<duration, 4> lifetimes{0ns, 1ms, 100ms, 5s};

constexpr int pid_of(int fd) noexcept { return first_pid + fd - first_pidfd; }
constexpr int descriptor_of(int pid) noexcept { return first_pidfd + pid - first_pid; }

/// signal(7): "Ign" and "Cont".
constexpr bool is_ignored(int signal) noexcept {
    return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT;
}
constexpr bool stops(int signal) noexcept {
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

} // namespace

bool processes::has(int fd) noexcept { return fd >= first_pidfd && fd <= last_pidfd; }

void processes::clear() noexcept {
    programs_.clear();
    all_.clear();
    next_pid_ = first_pid;
}

void processes::add_program(std::string name, program body) {
    const allocating_for_the_world own;
    programs_.insert_or_assign(std::move(name), std::move(body));
}

/// As execvp(3): a name without a slash is looked for in every directory.
const program* processes::find(const std::string& name) const {
    if (const auto at = programs_.find(name); at != programs_.end()) return &at->second;
    if (name.find('/') != name.npos) return nullptr;
    const auto at = std::ranges::find_if(programs_, [&](const auto& p) { return p.first.ends_with('/' + name); });
    return at == programs_.end() ? nullptr : &at->second;
}

/// The child has descriptors of its own for what its parent has given it.
int processes::take_streams(const spawn_request& request, std::array<int, 3>& streams) {
    const std::array given{request.in, request.out, request.err};
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (!world_.network.find(given[i])) continue; // /dev/null, or what this process has
        streams[i] = world_.network.duplicate(given[i]);
    }
    return 0;
}

int processes::spawn(const spawn_request& request, spawned_process& child) {
    const allocating_for_the_world own;
    constexpr std::array errors{EAGAIN, ENOMEM, EMFILE, ENFILE};
    if (const int error = world_.error(world_.faults.resources, errors, labels::starting_a_process_fails)) return error;
    const program* body = find(request.executable.value_or(request.argv.front()));
    if (!body) return -ENOENT;
    const int pid = next_pid_++;
    process& made = all_[pid];
    made.name = request.argv.front();
    take_streams(request, made.streams);
    made.has_descriptor = !world_.choose_if(world_.faults.order, 2, labels::no_descriptor_for_a_process);
    child = {.pid = pid, .pidfd = made.has_descriptor ? descriptor_of(pid) : -1};
    invocation given{.pid = pid,
                     .argv = request.argv,
                     .env = request.env.value_or(std::map<std::string, std::string>()),
                     .directory = request.cwd.value_or("/")};
    if (world_.fails(world_.faults.resources, labels::a_process_is_killed)) {
        const duration lives = world_.choose_delay(lifetimes, labels::how_long_it_lives);
        world_.later.enter(world_.now + lives, [this, pid] { kill(pid, SIGKILL); });
    }
    // Asked from a thread, or from the loop's own where there is none to be had.
    auto shared = std::make_shared<invocation>(std::move(given));
    world_.loop->call_soon_threadsafe([this, pid, body, shared] { begin(pid, *body, std::move(*shared)); });
    return 0;
}

void processes::begin(int pid, const program& body, invocation given) {
    const allocating_for_the_world own;
    process& p = all_.at(pid);
    event_loop& loop = *world_.loop;
    const auto here = std::source_location::current();
    const auto take = [&](std::size_t i) { return std::exchange(p.streams[i], -1); };
    if (p.streams[0] >= 0) given.in.emplace(rondo::detail::make_pipe_reader(loop, take(0), default_limit, here));
    if (p.streams[1] >= 0) given.out.emplace(rondo::detail::make_pipe_writer(loop, take(1), here));
    if (p.streams[2] >= 0) given.err.emplace(rondo::detail::make_pipe_writer(loop, take(2), here));
    if (p.killed_by) {
        given = {};
        has_ended(pid, -p.killed_by);
        return;
    }
    p.life = rondo::detail::launch(loop, {.name = "process " + std::to_string(pid) + " (" + p.name + ")"},
                                   body(std::move(given)));
    p.life.add_done_callback([this, pid](const task<int>& life) {
        int status = 0;
        if (life.cancelled()) status = -SIGKILL;
        else if (life.exception()) status = -SIGABRT;
        else status = life.result() & 0xff;
        if (const int by = all_.at(pid).killed_by) status = -by;
        has_ended(pid, status);
    });
}

void processes::has_ended(int pid, int status) {
    const allocating_for_the_world own;
    all_.at(pid).status = status;
    all_.at(pid).life = {};
    world_.choices.trace(static_cast<std::uint64_t>(pid) << 16 ^ static_cast<std::uint64_t>(status + 1000));
    const duration takes = world_.choose_delay(reaping_times, labels::how_late_an_end_is_told);
    world_.later.enter(world_.now + takes, [this, pid] { tell(pid); });
    world_.wake();
}

void processes::tell(int pid) {
    const auto at = all_.find(pid);
    if (at == all_.end()) return;
    process& p = at->second;
    p.told = true;
    while (!p.waiting.empty()) {
        operation& op = p.waiting.pop_front();
        world_.network.settle(op, POLLIN);
    }
    if (p.ended) std::exchange(p.ended, nullptr)();
}

int processes::reap(const spawned_process& child, int& status) {
    const auto at = all_.find(child.pid);
    if (at == all_.end() || at->second.reaped) return -ECHILD;
    if (!at->second.told) return 0;
    status = *at->second.status;
    at->second.reaped = true;
    drop_if_done(child.pid);
    return 1;
}

int processes::send_signal(const spawned_process& child, int signal) {
    const allocating_for_the_world own;
    const auto at = all_.find(child.pid);
    if (at == all_.end() || at->second.reaped) return -ESRCH;
    if (signal < 0 || signal > rondo::detail::last_signal) return -EINVAL;
    if (stops(signal)) return world_.missing("stopped processes");
    if (signal == 0 || is_ignored(signal) || at->second.status) return 0;
    const duration takes = world_.choose_delay(signal_times, labels::how_late_a_signal_comes);
    world_.later.enter(world_.now + takes, [this, pid = child.pid, signal] { kill(pid, signal); });
    return 0;
}

void processes::kill(int pid, int signal) {
    const auto at = all_.find(pid);
    if (at == all_.end() || at->second.status || at->second.killed_by) return;
    at->second.killed_by = signal;
    if (!at->second.life) return; // it does not run yet
    world_.loop->call_soon_threadsafe([life = at->second.life]() mutable { life.cancel(); });
}

int processes::watch_exit(const spawned_process& child, std::function<void()> ended) {
    const allocating_for_the_world own;
    const auto at = all_.find(child.pid);
    if (at == all_.end()) return -ECHILD;
    if (world_.fails(world_.faults.resources, labels::no_thread_to_watch_a_process)) {
        at->second.left = true;
        return -EAGAIN;
    }
    if (at->second.told) ended();
    else at->second.ended = std::move(ended);
    return 0;
}

void processes::drop_if_done(int pid) {
    const auto at = all_.find(pid);
    if (at->second.reaped && !at->second.has_descriptor) all_.erase(at);
}

int processes::close(int fd) {
    const auto at = all_.find(pid_of(fd));
    if (at == all_.end() || !at->second.has_descriptor) return -EBADF;
    at->second.has_descriptor = false;
    at->second.left = !at->second.reaped;
    drop_if_done(at->first);
    return 0;
}

bool processes::submit(operation& op) {
    const auto at = all_.find(pid_of(op.fd));
    if (at == all_.end() || !at->second.has_descriptor) op.result = -EBADF;
    else if (op.kind != rondo::detail::operation_kind::poll) op.result = -EINVAL;
    else if (at->second.told) op.result = POLLIN;
    else {
        op.phase = operation::state::submitted;
        op.note = 0;
        op.result = 0;
        at->second.waiting.push_back(op);
        return false;
    }
    return true;
}

bool processes::cancel(operation& op) {
    const auto at = all_.find(pid_of(op.fd));
    if (at == all_.end()) return false;
    for (const operation* one = at->second.waiting.front(); one; one = one->next) {
        if (one != &op) continue;
        at->second.waiting.erase(op);
        op.phase = operation::state::cancelling;
        world_.network.settle(op, -ECANCELED);
        return true;
    }
    return false;
}

void processes::cancel_all() {
    for (auto& [pid, p] : all_) {
        while (!p.waiting.empty()) cancel(*p.waiting.front());
    }
}

void processes::forget_lives() noexcept {
    for (auto& [pid, p] : all_) p.life = {};
}

std::size_t processes::open_count() const noexcept {
    std::size_t n = 0;
    for (const auto& [pid, p] : all_) n += static_cast<std::size_t>(p.has_descriptor) + !(p.reaped || p.left);
    return n;
}

void processes::describe_open(std::vector<std::string>& to) const {
    for (const auto& [pid, p] : all_) {
        if (p.left) continue;
        const std::string who = "process " + std::to_string(pid) + " (" + p.name + ")";
        to.push_back(p.reaped ? "the descriptor of " + who : who + ", which nobody has reaped");
    }
}

} // namespace rondo::sim::detail
