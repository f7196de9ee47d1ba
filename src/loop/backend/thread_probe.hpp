// Looking at a thread that does not answer otherwise: where it is, and which system call it sits in.
#pragma once

#include <cstddef>
#include <string>

#include <sys/types.h>

namespace rondo::detail {

/// gettid(2)
pid_t this_thread_id() noexcept;

/// The addresses on the stack of a thread, innermost first.
struct native_frames {
    static constexpr std::size_t max = 48;
    void* at[max];
    std::size_t depth = 0;
};

/// Called in the thread that was asked, in a signal handler: only what may be called there (signal-safety(7)).
using probe_function = void (*)(const native_frames& frames) noexcept;

/// Makes SIGURG, which nobody sends by accident and whose default action is to be ignored, the question; once for a process.
/// False: the program has a handler of its own for it.
bool prepare_probe(probe_function answer) noexcept;
/// Asks a thread of this process. False: there is none, or the signal is not ours.
bool probe_thread(pid_t thread) noexcept;

/// While one lives, SIGQUIT is counted instead of ending the process, unless the program has an action of its own for it.
class quit_watch {
public:
    quit_watch() noexcept;
    quit_watch(const quit_watch&) = delete;
    quit_watch& operator=(const quit_watch&) = delete;
    ~quit_watch();
    /// How often it has come.
    static unsigned count() noexcept;
};

/// "read", or "system call 333"; empty: it is not in one, or nobody knows (proc(5), /proc/PID/syscall).
std::string system_call_of(pid_t thread);

} // namespace rondo::detail
