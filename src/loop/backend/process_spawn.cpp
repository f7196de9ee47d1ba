#include "loop/backend/process_spawn.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <new>

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The child of clone(CLONE_VM) runs in this process's memory, thread-locals included, until its exec. It must not disturb what
// the library wrappers or a sanitizer's runtime keep there: so it uses plain system calls and these names, which sanitizers
// do not intercept, and is not instrumented. (glibc exports both since 2.2.5.)
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
int __clone(int (*start)(void*), void* stack, int flags, void* argument, ...);
int __sigaction(int signal, const struct sigaction* action, struct sigaction* old);
extern char** environ;
}
// NOLINTEND(bugprone-reserved-identifier)

#if defined(__clang__)
#define RONDO_RUNS_IN_CHILD                                                                                            \
    __attribute__((disable_sanitizer_instrumentation, no_sanitize("address", "thread", "undefined")))
#else
#define RONDO_RUNS_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

namespace rondo::detail {

namespace {

/// All that the child needs, made ready by the parent, because the child may not allocate.
struct launch {
    const char* const* programs = nullptr; // to be tried in this order, null at the end
    char* const* argv = nullptr;
    char* const* environment = nullptr;
    const char* directory = nullptr;
    const int* kept = nullptr; // sorted
    std::size_t kept_count = 0;
    unsigned descriptor_limit = 0;
    int streams[3] = {-1, -1, -1};
    bool new_session = false;
    int error = 0; // written by the child
};

RONDO_RUNS_IN_CHILD long system_call(long number, long a = 0, long b = 0, long c = 0, long d = 0) noexcept {
    return ::syscall(number, a, b, c, d);
}

/// A handler of this process, run in the child, would act on this process's memory.
RONDO_RUNS_IN_CHILD void restore_signal_actions() noexcept {
    for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action; // NOLINT(cppcoreguidelines-pro-type-member-init): a constructor could be instrumented
        if (::__sigaction(signal, nullptr, &action) < 0 || action.sa_handler == SIG_DFL) continue;
        if (action.sa_handler == SIG_IGN && signal != SIGPIPE) continue;
        action.sa_handler = SIG_DFL;
        action.sa_flags = 0;
        ::__sigaction(signal, &action, nullptr);
    }
}

RONDO_RUNS_IN_CHILD bool place_streams(launch& l) noexcept {
    for (int target = 0; target < 3; ++target) { // out of the way of the copies
        int& fd = l.streams[target];
        if (fd < 0 || fd > 2 || fd == target) continue;
        fd = static_cast<int>(system_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3));
        if (fd < 0) return false;
    }
    for (int target = 0; target < 3; ++target) {
        const int fd = l.streams[target];
        if (fd < 0) continue;
        if ((fd == target ? system_call(SYS_fcntl, fd, F_SETFD, 0) : system_call(SYS_dup3, fd, target, 0)) < 0)
            return false;
    }
    for (std::size_t i = 0; i < l.kept_count; ++i) {
        if (system_call(SYS_fcntl, l.kept[i], F_SETFD, 0) < 0) return false;
    }
    return true;
}

RONDO_RUNS_IN_CHILD void close_between(unsigned first, unsigned last, const launch& l) noexcept {
    if (first > last || system_call(SYS_close_range, first, last) == 0) return;
    for (unsigned fd = first; fd <= last && fd < l.descriptor_limit; ++fd)
        system_call(SYS_close, fd); // before Linux 5.9
}

RONDO_RUNS_IN_CHILD void close_others(const launch& l) noexcept {
    unsigned first = 3;
    for (std::size_t i = 0; i < l.kept_count; ++i) {
        const auto kept = static_cast<unsigned>(l.kept[i]);
        if (kept < first) continue;
        close_between(first, kept - 1, l);
        first = kept + 1;
    }
    close_between(first, ~0u, l);
}

/// The error that says most: a program that was found and cannot be run, before one that was not found.
RONDO_RUNS_IN_CHILD int execute(const launch& l) noexcept {
    int error = 0;
    for (const char* const* program = l.programs; *program; ++program) {
        ::execve(*program, l.argv, l.environment);
        if (error == 0 || error == ENOENT || error == ENOTDIR) error = errno;
    }
    return error;
}

RONDO_RUNS_IN_CHILD int run_child(void* argument) noexcept {
    launch& l = *static_cast<launch*>(argument);
    restore_signal_actions();
    l.error = 0;
    if (!place_streams(l)) {
        l.error = errno;
    } else {
        close_others(l);
        if (l.new_session) system_call(SYS_setsid);
        if (l.directory && system_call(SYS_chdir, reinterpret_cast<long>(l.directory)) < 0) {
            l.error = errno;
        } else {
            const unsigned long none = 0;
            system_call(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<long>(&none), 0, sizeof none);
            l.error = execute(l);
        }
    }
    system_call(SYS_exit_group, 127);
    return 127;
}

bool has_nul(const std::string& text) noexcept { return text.find('\0') != std::string::npos; }

bool is_valid(const spawn_request& request) noexcept {
    if (request.argv.empty() || request.argv.front().empty()) return false;
    if (std::any_of(request.argv.begin(), request.argv.end(), has_nul)) return false;
    if (request.cwd && has_nul(*request.cwd)) return false;
    if (!request.env) return true;
    return std::none_of(request.env->begin(), request.env->end(), [](const auto& variable) {
        const auto& [name, value] = variable;
        return name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value);
    });
}

std::string search_path(const spawn_request& request) {
    constexpr const char* fallback = "/bin:/usr/bin"; // as Python's os.defpath
    if (request.env) {
        const auto found = request.env->find("PATH");
        return found == request.env->end() ? fallback : found->second;
    }
    const char* path = std::getenv("PATH");
    return path ? path : fallback;
}

std::vector<std::string> candidates(const spawn_request& request) {
    const std::string& name = request.argv.front();
    if (name.find('/') != std::string::npos) return {name};
    std::vector<std::string> found;
    const std::string path = search_path(request);
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find(':', begin), path.size());
        std::string candidate = path.substr(begin, end - begin);
        if (!candidate.empty()) candidate += '/'; // empty: where the child is
        found.push_back(candidate += name);
        begin = end + 1;
    }
    return found;
}

/// Pointers to the strings, null at the end.
template <class Pointer> std::vector<Pointer> pointers_to(const std::vector<std::string>& strings) {
    std::vector<Pointer> pointers;
    pointers.reserve(strings.size() + 1);
    for (const std::string& s : strings) pointers.push_back(const_cast<Pointer>(s.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

int start(launch& l, spawned_process& child) noexcept {
    // No signal may reach a handler in the child before it has put the default actions back.
    ::sigset_t all;
    ::sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    alignas(16) std::byte stack[32 * 1024];
    int pidfd = -1;
    const int pid =
        ::__clone(&run_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &l, &pidfd);
    const int clone_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return -clone_error;

    int error = l.error;
    if (pidfd < 0 && error == 0) { // a kernel or sandbox that does not know CLONE_PIDFD
        ::kill(pid, SIGKILL);
        error = ENOSYS;
    }
    if (error) {
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
        if (pidfd >= 0) ::close(pidfd);
        return -error;
    }
    child = {.pid = pid, .pidfd = pidfd};
    return 0;
}

} // namespace

int spawn_process(const spawn_request& request, spawned_process& child) noexcept {
    if (!is_valid(request)) return -EINVAL;
    try {
        const std::vector<std::string> programs = candidates(request);
        const auto program_pointers = pointers_to<const char*>(programs);
        const auto argv = pointers_to<char*>(request.argv);
        std::vector<std::string> variables;
        if (request.env) {
            for (const auto& [name, value] : *request.env) (variables.emplace_back(name) += '=') += value;
        }
        const auto environment = pointers_to<char*>(variables);
        std::vector<int> kept = request.pass_fds;
        std::sort(kept.begin(), kept.end());
        ::rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);

        launch l;
        l.programs = program_pointers.data();
        l.argv = argv.data();
        l.environment = request.env ? environment.data() : environ;
        l.directory = request.cwd ? request.cwd->c_str() : nullptr;
        l.kept = kept.data();
        l.kept_count = kept.size();
        l.descriptor_limit = static_cast<unsigned>(std::min<::rlim_t>(limit.rlim_cur, ~0u));
        l.streams[0] = request.in;
        l.streams[1] = request.out;
        l.streams[2] = request.err;
        l.new_session = request.start_new_session;
        return start(l, child);
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

} // namespace rondo::detail
