// The part of the seam that is no operation: making and closing descriptors, starting processes, hearing of signals, running
// work in threads. Functions return a value >= 0, or -errno. They belong to the loop's thread and do not wait, unless they
// say otherwise.
#pragma once

#include <rondo/loop/detail/operation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct sockaddr;

namespace rondo {
class executor;
}

namespace rondo::detail {

/// What a new process is given. Descriptors: the child's 0, 1 and 2 are copies of `in`, `out` and `err`; -1 leaves them as
/// they are in this process. It gets no others but `pass_fds`, no blocked signals, and SIGPIPE's default action.
struct spawn_request {
    std::vector<std::string> argv;
    std::optional<std::map<std::string, std::string>> env;
    std::optional<std::string> cwd;
    int in = -1;
    int out = -1;
    int err = -1;
    bool start_new_session = false;
    std::vector<int> pass_fds;             // kept open in the child, at the same numbers
    std::optional<std::string> executable; // the program, in place of argv[0]
    std::optional<int> process_group;      // 0: one of its own
    std::optional<std::uint32_t> user;
    std::optional<std::uint32_t> group;
    std::optional<std::vector<std::uint32_t>> extra_groups;
    std::optional<std::uint32_t> umask;
};
struct spawned_process {
    int pid = 0;
    int pidfd = -1; // readable when the process has ended; -1: this kernel, or a sandbox, gives none
};

/// A host and a service (a port's number or name) for getaddrinfo(3); an empty host asks for what to bind to.
struct name_request {
    std::string host;
    std::string service;
    int family = 0;
    int type = 0;
    int protocol = 0;
    int flags = 0;        // AI_*
    bool passive = false; // for bind()
};
struct resolved_name {
    alignas(8) std::array<unsigned char, 128> address{}; // a sockaddr
    std::uint32_t size = 0;
    int family = 0;
    int type = 0;
    int protocol = 0;
};

/// Told of signals in the middle of anything.
class signal_sink {
public:
    /// In a signal handler, in any thread: only what signal-safety(7) allows.
    virtual void signal_arrived(int signal) noexcept = 0;

protected:
    ~signal_sink() = default;
};
inline constexpr int last_signal = 64;
constexpr std::uint64_t signal_bit(int signal) noexcept { return std::uint64_t{1} << (signal - 1); } // in a set of all
static_assert(last_signal == 64);

class os {
public:
    os() = default;
    os(const os&) = delete;
    os& operator=(const os&) = delete;
    virtual ~os() = default;

    // Sockets; every new descriptor is non-blocking and close-on-exec.
    virtual int open_socket(int family, int type, int protocol) noexcept = 0;
    virtual int bind(int fd, const ::sockaddr* address, std::uint32_t size) noexcept = 0;
    virtual int listen(int fd, int backlog) noexcept = 0;
    virtual int set_option(int fd, int level, int name, int value) noexcept = 0;
    virtual int get_option(int fd, int level, int name, int& value) noexcept = 0;
    virtual int local_address(int fd, ::sockaddr* address, std::uint32_t& size) noexcept = 0;
    virtual int peer_address(int fd, ::sockaddr* address, std::uint32_t& size) noexcept = 0;
    virtual int shutdown(int fd, int how) noexcept = 0;
    /// close() will reset the connection instead of ending it in order (SO_LINGER with 0 seconds).
    virtual int reset_on_close(int fd) noexcept = 0;
    /// Every descriptor that was opened here, or accepted, is closed here: a backend may remember it until then. What
    /// waits for it has been cancelled, and has completed, before.
    virtual int close(int fd) noexcept = 0;

    // Pipes: first the reading end. Both ends close-on-exec; `our_end` (0 or 1) alone is non-blocking. When that is the
    // writing end, SIGPIPE is ignored from now on where it had its default action.
    virtual int make_pipe(int our_end, std::pair<int, int>& ends) noexcept = 0;
    virtual int open_null(bool for_writing) noexcept = 0;

    // Descriptors that the program has opened.
    /// 1 or 0.
    virtual int is_non_blocking(int fd) noexcept = 0;
    /// Makes it non-blocking; for writing, SIGPIPE is ignored as by make_pipe(). 1: a pipe, FIFO or socket; 0: a character device,
    /// which does not tell when nobody is at its other end; -EINVAL: something that cannot be waited for.
    virtual int adopt_pipe(int fd, bool for_writing) noexcept = 0;

    // Files.
    /// Makes what was just opened wait for its disk, and for nobody else. 0; -EINVAL: a FIFO, a socket or a terminal.
    virtual int adopt_file(int fd) noexcept = 0;
    /// The size, or -errno.
    virtual std::int64_t file_size(int fd) noexcept = 0;
    /// Where the next read() or write() begins (lseek(2)), or -errno; `whence`: SEEK_*.
    virtual std::int64_t seek(int fd, std::int64_t offset, int whence) noexcept = 0;
    // These wait for the disk: for an executor's thread, and so from any thread.
    /// An operation on a file (backend::takes_files()), whose result it gives.
    virtual std::int64_t perform(operation& op) noexcept = 0;
    virtual int truncate(int fd, std::uint64_t size) noexcept = 0;
    /// The permissions of the file that a path leads to, or -errno.
    virtual int permissions(const std::string& path) noexcept = 0;
    virtual int set_permissions(int fd, unsigned permissions) noexcept = 0;
    virtual int rename(const std::string& from, const std::string& to) noexcept = 0;
    virtual int remove_file(const std::string& path) noexcept = 0;
    /// Until a rename() or remove_file() in it would survive a loss of power.
    virtual int sync_directory(const std::string& path) noexcept = 0;

    // Unix socket files.
    virtual int unlink_socket(const std::string& path) noexcept = 0; // only when it is a socket
    /// 1: a socket of some process is bound to it, listening or not; 0: it is left over, or not there. That process does not
    /// notice. What cannot be found out is an error.
    virtual int socket_in_use(const std::string& path) noexcept = 0;
    virtual int file_identity(const std::string& path,
                              std::pair<std::uint64_t, std::uint64_t>& id) noexcept = 0; // device, inode

    // Processes.
    /// This process's environment now; of a name that is there twice the first counts, as for getenv(3).
    virtual std::map<std::string, std::string> environment() = 0;
    /// Blocks until the new process runs its program, which on a busy machine takes milliseconds: for an executor's thread,
    /// and so from any thread. Fails with the child's error when the program cannot be found or run. A name without a slash is
    /// searched in PATH of the new environment. The caller closes the pidfd.
    virtual int spawn(const spawn_request& request, spawned_process& child) noexcept = 0;
    /// 0 while it runs; 1 and the status (negative: the signal) when it was reaped now; -ECHILD: somebody else did.
    virtual int reap(const spawned_process& child, int& status) noexcept = 0;
    virtual int send_signal(const spawned_process& child, int signal) noexcept = 0;
    /// For a child without a pidfd: a thread waits until it has ended, which is not reaped by that, and calls ended(). It may
    /// outlive everything else.
    virtual int watch_exit(const spawned_process& child, std::function<void()> ended) noexcept = 0;

    // Signals, 1 to last_signal. In the child of a fork() nobody watches: what the parent watched is ignored there until
    // somebody does.
    /// From now on each arrival is told to `sink`, and the action from before does not happen. Several sinks may watch one
    /// signal. 0; -EINVAL: it cannot be caught; -EAGAIN: 256 sinks are the most there can be.
    virtual int watch_signal(int signal, signal_sink& sink) noexcept = 0;
    /// When nobody else watches, the action from before comes back. On return the sink is not being told of it any more, and
    /// will not be. Nothing when it did not watch.
    virtual void unwatch_signal(int signal, signal_sink& sink) noexcept = 0;
    /// Nobody watches, and nobody else has given the signal an action of his own.
    virtual bool has_default_action(int signal) noexcept = 0;

    // Threads and names.
    /// The thread that the process began with, or the one that forked it.
    virtual bool in_main_thread() noexcept = 0;
    /// Blocks: for an executor's thread, and so from any thread. 0; otherwise an error of getaddrinfo(3), all of which are
    /// negative (EAI_*), or for EAI_SYSTEM the errno, which is positive.
    virtual int resolve(const name_request& request, std::vector<resolved_name>& found) noexcept = 0;
    /// The other way: the names of an address; `flags`: NI_*. As resolve().
    virtual int name_of(const ::sockaddr* address, std::uint32_t size, int flags, std::string& host,
                        std::string& service) noexcept = 0;
    virtual std::shared_ptr<executor> make_thread_pool(std::size_t threads, std::string_view name) = 0;
    /// What a thread_pool that is made in this world is instead of threads; null: threads.
    virtual std::shared_ptr<executor> simulated_threads() { return nullptr; }
};

} // namespace rondo::detail
