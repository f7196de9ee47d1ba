#include "loop/backend/process_spawn.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <new>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
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
    const int* process_group = nullptr; // null, as the others: not to be set
    const std::uint32_t* user = nullptr;
    const std::uint32_t* group = nullptr;
    const std::uint32_t* umask = nullptr;
    bool changes_groups = false;
    const std::uint32_t* groups = nullptr;
    long group_count = 0;
    int* error = nullptr; // written by the child
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

/// Where, with whom and as whom it runs; in the order of Python's subprocess. False: errno.
RONDO_RUNS_IN_CHILD bool take_place(const launch& l) noexcept {
    if (l.directory && system_call(SYS_chdir, reinterpret_cast<long>(l.directory)) < 0) return false;
    if (l.umask) system_call(SYS_umask, *l.umask);
    if (l.new_session && system_call(SYS_setsid) < 0) return false;
    if (l.process_group && system_call(SYS_setpgid, 0, *l.process_group) < 0) return false;
    if (l.changes_groups && system_call(SYS_setgroups, l.group_count, reinterpret_cast<long>(l.groups)) < 0)
        return false;
    if (l.group && system_call(SYS_setregid, *l.group, *l.group) < 0) return false;
    return !l.user || system_call(SYS_setreuid, *l.user, *l.user) >= 0;
}

RONDO_RUNS_IN_CHILD int run_child(void* argument) noexcept {
    launch& l = *static_cast<launch*>(argument);
    restore_signal_actions();
    *l.error = 0;
    if (!place_streams(l)) {
        *l.error = errno;
    } else {
        close_others(l);
        if (!take_place(l)) {
            *l.error = errno;
        } else {
            const unsigned long none = 0;
            system_call(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<long>(&none), 0, sizeof none);
            *l.error = execute(l);
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
    if (request.executable && (request.executable->empty() || has_nul(*request.executable))) return false;
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
    const std::string& name = request.executable ? *request.executable : request.argv.front();
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

/// Linux 5.2 and 5.3 give a pidfd that waitid(2) does not take.
bool can_wait_for(int pidfd) noexcept {
    ::siginfo_t info{};
    return ::waitid(P_PIDFD, static_cast<::id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != EINVAL;
}

/// Where a child can write its error: in a page that is shared, when the rest of the memory is not.
class error_place {
public:
    explicit error_place(bool shares_memory) noexcept {
        if (shares_memory) return;
        void* page = ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        place_ = page == MAP_FAILED ? nullptr : static_cast<int*>(page);
    }
    error_place(const error_place&) = delete;
    error_place& operator=(const error_place&) = delete;
    ~error_place() {
        if (place_ && place_ != &own_) ::munmap(place_, sizeof(int));
    }
    /// Null: there is no memory.
    int* get() const noexcept { return place_; }

private:
    int own_ = 0;
    int* place_ = &own_;
};

int start(launch& l, spawned_process& child) noexcept {
    // A child that takes another identity must not do it in our memory: its new self could be traced into ours, so the
    // kernel would mark us as not dumpable (commit_creds), for good.
    const bool shares_memory = !l.user && !l.group && !l.changes_groups;
    const error_place error(shares_memory);
    l.error = error.get();
    if (!l.error) return -ENOMEM;

    // No signal may reach a handler in the child before it has put the default actions back.
    ::sigset_t all;
    ::sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    alignas(16) std::byte stack[32 * 1024];
    int pidfd = -1;
    const int flags = (shares_memory ? CLONE_VM : 0) | CLONE_VFORK | SIGCHLD;
    int pid = ::__clone(&run_child, stack + sizeof stack, flags | CLONE_PIDFD, &l, &pidfd);
    if (pid < 0 &&
        (errno == EINVAL || errno == ENOSYS || errno == EPERM)) // an old kernel ignores it, and does not fail
        pid = ::__clone(&run_child, stack + sizeof stack, flags, &l);
    const int clone_error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return -clone_error;

    if (const int failed = *l.error) {
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
        if (pidfd >= 0) ::close(pidfd);
        return -failed;
    }
    if (pidfd >= 0 && !can_wait_for(pidfd)) ::close(std::exchange(pidfd, -1));
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
        l.process_group = request.process_group ? &*request.process_group : nullptr;
        l.user = request.user ? &*request.user : nullptr;
        l.group = request.group ? &*request.group : nullptr;
        l.umask = request.umask ? &*request.umask : nullptr;
        l.changes_groups = request.extra_groups.has_value();
        if (request.extra_groups) {
            l.groups = request.extra_groups->data();
            l.group_count = static_cast<long>(request.extra_groups->size());
        }
        return start(l, child);
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
}

} // namespace rondo::detail
