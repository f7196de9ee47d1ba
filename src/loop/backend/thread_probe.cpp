#include "loop/backend/thread_probe.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <utility>

#include <execinfo.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace rondo::detail {

namespace {

constexpr int question = SIGURG;
constinit std::atomic<probe_function> the_answer{nullptr};

/// Where the signal came in: what lies above it on the stack is ours.
void* interrupted_at(void* context) noexcept {
    // NOLINTBEGIN(performance-no-int-to-ptr): that is how registers are given
#if defined(__x86_64__)
    return reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.pc);
#else
    return nullptr;
#endif
    // NOLINTEND(performance-no-int-to-ptr)
}

void asked(int, siginfo_t*, void* context) noexcept {
    const int error = errno;
    if (const probe_function answer = the_answer.load(std::memory_order_acquire)) {
        native_frames frames;
        void* all[native_frames::max + 8];
        const int count = ::backtrace(all, static_cast<int>(std::size(all)));
        void** const end = all + count;
        void** first = std::find(all, end, interrupted_at(context));
        if (first == end) first = all;
        frames.depth = std::min(static_cast<std::size_t>(end - first), native_frames::max);
        std::copy_n(first, frames.depth, frames.at);
        answer(frames);
    }
    errno = error;
}

bool is_ours() noexcept {
    struct ::sigaction now{};
    ::sigaction(question, nullptr, &now);
    return (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == &asked;
}

constexpr std::pair<long, const char*> usual_calls[] = {
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_readv, "readv"},
    {SYS_writev, "writev"},
    {SYS_pread64, "pread"},
    {SYS_pwrite64, "pwrite"},
    {SYS_openat, "openat"},
    {SYS_close, "close"},
    {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"},
    {SYS_flock, "flock"},
    {SYS_fcntl, "fcntl"},
    {SYS_ioctl, "ioctl"},
    {SYS_futex, "futex"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_ppoll, "ppoll"},
    {SYS_pselect6, "pselect"},
    {SYS_epoll_pwait, "epoll_pwait"},
    {SYS_connect, "connect"},
    {SYS_accept, "accept"},
    {SYS_accept4, "accept4"},
    {SYS_recvfrom, "recvfrom"},
    {SYS_recvmsg, "recvmsg"},
    {SYS_sendto, "sendto"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_wait4, "wait4"},
    {SYS_waitid, "waitid"},
    {SYS_getrandom, "getrandom"},
#ifdef SYS_poll
    {SYS_poll, "poll"},
    {SYS_select, "select"},
    {SYS_open, "open"},
    {SYS_epoll_wait, "epoll_wait"},
#endif
};

constinit std::atomic<unsigned> quits{0};
constinit std::mutex quit_mutex;
unsigned quit_watches = 0;

void heard_quit(int) noexcept { quits.fetch_add(1, std::memory_order_relaxed); }

} // namespace

quit_watch::quit_watch() noexcept {
    const std::lock_guard<std::mutex> hold(quit_mutex);
    if (quit_watches++ > 0) return;
    struct ::sigaction before{};
    ::sigaction(SIGQUIT, nullptr, &before);
    if ((before.sa_flags & SA_SIGINFO) != 0 || before.sa_handler != SIG_DFL) return;
    struct ::sigaction ours{};
    ours.sa_handler = &heard_quit;
    ours.sa_flags = SA_RESTART | SA_ONSTACK;
    ::sigemptyset(&ours.sa_mask);
    ::sigaction(SIGQUIT, &ours, nullptr);
}

quit_watch::~quit_watch() {
    const std::lock_guard<std::mutex> hold(quit_mutex);
    if (--quit_watches > 0) return;
    struct ::sigaction now{};
    ::sigaction(SIGQUIT, nullptr, &now);
    if ((now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != &heard_quit) return;
    ::signal(SIGQUIT, SIG_DFL);
}

unsigned quit_watch::count() noexcept { return quits.load(std::memory_order_relaxed); }

pid_t this_thread_id() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

bool prepare_probe(probe_function answer) noexcept {
    static const bool warm = [] {
        void* one[1]; // the first call loads the unwinder, which may not happen in a signal handler
        return ::backtrace(one, 1) >= 0;
    }();
    static_cast<void>(warm);
    the_answer.store(answer, std::memory_order_release);
    if (is_ours()) return true;
    struct ::sigaction before{};
    ::sigaction(question, nullptr, &before);
    if ((before.sa_flags & SA_SIGINFO) != 0 || (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN))
        return false;
    struct ::sigaction ours{};
    ours.sa_sigaction = &asked;
    ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    ::sigemptyset(&ours.sa_mask);
    return ::sigaction(question, &ours, nullptr) == 0;
}

bool probe_thread(pid_t thread) noexcept {
    return is_ours() && ::syscall(SYS_tgkill, ::getpid(), thread, question) == 0;
}

std::string system_call_of(pid_t thread) {
    std::ifstream in("/proc/self/task/" + std::to_string(thread) + "/syscall");
    std::string first;
    in >> first;
    if (first.empty() || first == "running" || first == "-1") return {};
    const long number = std::strtol(first.c_str(), nullptr, 10);
    for (const auto& [call, name] : usual_calls) {
        if (call == number) return name;
    }
    return "system call " + first;
}

} // namespace rondo::detail
