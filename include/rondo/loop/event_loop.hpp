// The event loop: runs what is ready, then waits for timers and I/O.
#pragma once

#include <rondo/coro/awaitable.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/io_names.hpp>
#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/detail/spawn_arguments.hpp>
#include <rondo/loop/executor.hpp>
#include <rondo/loop/handle.hpp>
#include <rondo/loop/options.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

template <class T = void> class future;
template <class T = void> class task;
class future_base;
namespace detail {
class readiness_awaiter;
}
class task_base;
class any_coro;
struct error_context;
template <class H> concept future_like = std::derived_from<std::remove_cvref_t<H>, future_base>;
using task_factory = std::function<task_base(event_loop&, any_coro, task_options)>;
struct stall_report;
using stall_handler = std::function<void(const stall_report&)>;
using exception_handler = std::function<void(event_loop&, const error_context&)>;

/// Single-threaded: everything but call_soon_threadsafe() and stop() from a signal handler's callback belongs to the thread
/// that runs the loop; debug mode throws runtime_error on a violation. After close(), scheduling throws runtime_error. In
/// the child of a fork() every use throws runtime_error, the parent's loop is not harmed.
///
/// One pass (asyncio's BaseEventLoop._run_once): poll, completions, due timers, then exactly the callbacks and tasks that
/// were ready at that point, in the order in which they became ready; what they make ready waits for the next pass. While
/// something is ready the poll is skipped, at most 61 passes in a row.
///
/// Most programs use rondo::run() and never name the loop.
class event_loop {
public:
    /// Throws value_error for a bad RONDO_BACKEND, std::system_error when the wanted backend cannot be had.
    explicit event_loop(loop_options options = {});
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;
    /// Closes a loop that is still open, and says so in debug mode.
    ~event_loop();

    /// Runs until stop(). An exit request (keyboard_interrupt, system_exit) in a task or callback is thrown from here.
    void run_forever();
    /// Runs until the coroutine or future is done and gives its value or throws its error. runtime_error when the loop was
    /// stopped first, is closed or running, or another loop runs in this thread.
    template <class T> T run_until_complete(coro<T> main);
    template <future_like H> await_result_t<H&> run_until_complete(H handle);
    /// The current pass is the last one. Called while the loop does not run: the next run makes one pass that does not wait.
    /// A stop is used up by the run, or the run_once(), that it ended.
    void stop() noexcept;
    /// One pass that waits at most `timeout`. False: nothing was ready.
    bool run_once(delay timeout);
    /// For a loop that lives in a host loop (GLib, Qt, Asio): the host polls this descriptor, and calls run_once(0s) when it
    /// is readable. That is as long as a pass has something to do: callbacks and tasks, due timers, I/O, signals, calls from
    /// other threads; sometimes in vain. It is the same at every call, the loop's own, and readable at first. -1 when
    /// it cannot be made (EMFILE), the loop is closed, or in the child of a fork().
    int poll_fd() const noexcept;
    bool is_running() const noexcept { return running_; }
    bool is_closed() const noexcept { return closed_; }
    /// Cancels what still lives and waits for it, closes the executor, ends every operation, then destroys what did not
    /// end and names it. Idempotent. runtime_error while running.
    void close();

    /// Calls fn() in the next pass. O(1), one block. What it throws goes to the exception handler.
    template <std::invocable F> handle call_soon(F&& fn, call_options options = {}) {
        check_usable();
        auto* c = new detail::callback_of<std::decay_t<F>, detail::callback>(*this, std::forward<F>(fn),
                                                                             std::move(options), false);
        c->retain();
        state_.ready.push(*c);
        return handle(c);
    }
    /// The same from any thread, and it wakes the loop. Not from a signal handler, for it allocates: add_signal_handler().
    template <std::invocable F> handle call_soon_threadsafe(F&& fn, call_options options = {}) {
        auto* c = new detail::callback_of<std::decay_t<F>, detail::callback>(*this, std::forward<F>(fn),
                                                                             std::move(options), true);
        return enqueue_threadsafe(*c);
    }
    /// Calls fn() after d (no_timeout: never); equal deadlines in the order of the calls.
    template <std::invocable F> timer_handle call_later(delay d, F&& fn, call_options options = {}) {
        const deadline when = detail::deadline_after(time(), d);
        return call_at(when.value_or(time_point::max()), std::forward<F>(fn), std::move(options));
    }
    template <std::invocable F> timer_handle call_at(time_point when, F&& fn, call_options options = {}) {
        check_usable();
        auto* c = new detail::callback_of<std::decay_t<F>, detail::timer_callback>(*this, std::forward<F>(fn),
                                                                                   std::move(options), false);
        timer_handle h(c);
        c->arm(when);
        return h;
    }
    /// Monotonic; virtual in the simulator.
    time_point time() const noexcept;

    template <class T = void>
    [[nodiscard]] future<T> create_future(std::source_location where = std::source_location::current());
    template <class A>
        requires(awaitable<A> && !future_like<A> && !std::is_lvalue_reference_v<A>)
    [[nodiscard]] task<await_result_t<A>> create_task(A&& aw, task_options options = {});
    template <class F, RONDO_SPAWN_TYPES>
    [[nodiscard]] task<started_t<F, RONDO_SPAWNED>> create_task(F&& fn, RONDO_SPAWN_ARGS);
    template <class F, RONDO_SPAWN_TYPES>
    [[nodiscard]] task<started_t<F, RONDO_SPAWNED>> create_task(task_options options, F&& fn, RONDO_SPAWN_ARGS);
    /// Makes the tasks of this loop from now on; nullptr: the default.
    void set_task_factory(rondo::task_factory factory);

    /// Gets every error that nobody else will see; nullptr: the default, which writes to stderr.
    void set_exception_handler(rondo::exception_handler handler);
    void call_exception_handler(const error_context& what);
    void default_exception_handler(const error_context& what);

    bool debug() const noexcept { return state_.debug; }
    void set_debug(bool on) noexcept;
    /// In debug mode a step that took as long as this is told of on stderr when it is over; the watchdog tells of one that
    /// goes on.
    duration slow_callback_duration() const noexcept {
        return duration(slow_callback_duration_.load(std::memory_order_relaxed));
    }
    void set_slow_callback_duration(duration d) noexcept {
        slow_callback_duration_.store(d.count(), std::memory_order_relaxed);
    }

    /// The watchdog is a thread of its own. When a pass has gone on for slow_callback_duration(), it tells the stall handler,
    /// during the stall, once for each, which task runs and where: <rondo/loop/stall_report.hpp>. It looks four times in that
    /// time, costs the loop nothing, and asks its thread by SIGURG, which interrupts a blocking system call as signals do;
    /// where the program handles or blocks that, the system call alone is told. While one is on, SIGQUIT, if its action is the
    /// default, writes all tasks to stderr, of a stuck loop too, and ends nothing. Ends with the loop. std::system_error when
    /// there can be no thread.
    void set_watchdog(bool on);
    bool watchdog() const noexcept;
    /// Called in the watchdog's thread: it may touch nothing of the loop's but what may be called from any thread. nullptr: the
    /// default, which writes to stderr.
    void set_stall_handler(rondo::stall_handler handler);

    /// Calls fn() once in each pass in which a read from fd (a write to it) would not wait: bytes are there, the end of them,
    /// a connection, an error. Level-triggered, until it is removed; replaces the one before. All calls share one context.
    /// Whoever closes fd removes it first, or says notify_closing(). value_error: negative; std::system_error: not open;
    /// runtime_error: it belongs to a transport or server of this loop.
    template <std::invocable F> void add_reader(int fd, F&& fn, call_options options = {}) {
        watch_descriptor(fd, false, repeatable(std::forward<F>(fn)), std::move(options));
    }
    template <std::invocable F> void add_writer(int fd, F&& fn, call_options options = {}) {
        watch_descriptor(fd, true, repeatable(std::forward<F>(fn)), std::move(options));
    }
    /// True when there was one: it will not be called any more. False in a closed loop.
    bool remove_reader(int fd);
    bool remove_writer(int fd);
    /// co_await loop.readable(fd): <rondo/io/readiness.hpp>.
    detail::readiness_awaiter readable(int fd);
    detail::readiness_awaiter writable(int fd);
    /// Before fd is closed: removes its reader and writer, and who waits in readable() or writable() gets EBADF.
    void notify_closing(int fd);

    /// Calls fn() in the loop whenever `signal` arrives, in place of the action from before; replaces the previous handler.
    /// Several arrivals before the loop comes round are one call. All calls share one context. In the child of a fork() the
    /// signal is ignored. value_error: no such signal; runtime_error: it cannot be caught, or this is not the main thread.
    template <std::invocable F> void add_signal_handler(int signal, F&& fn, call_options options = {}) {
        set_signal_handler(signal, repeatable(std::forward<F>(fn)), std::move(options));
    }
    /// True when there was one: it will not be called any more. The action from before comes back. close() does this.
    /// value_error: no such signal.
    bool remove_signal_handler(int signal);

    /// Calls fn(args...) in a thread of the executor; nullptr: the default one. Cancelling the future stops it only if it
    /// has not begun. The current context is not carried over: to_thread() does that.
    template <class F, class... Args>
        requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
    future<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>> run_in_executor(executor* where, F&& fn,
                                                                                         Args&&... args);
    /// type_error: null.
    void set_default_executor(std::shared_ptr<executor> e);
    /// Made on first use. runtime_error once it was shut down.
    executor& default_executor();
    /// Waits, at most `timeout`, until what the default executor was given here has ended, then joins its threads; what has
    /// not ended by then is named to the exception handler, and its threads are left alone. From the call on nothing can be
    /// given to it. close() does this, for 300 s.
    coro<void> shutdown_default_executor(delay timeout = no_timeout);

    /// Closes the started async generators of this loop that are suspended, beside each other; their errors go to the exception
    /// handler. One that is started after this call is nobody's to close, and told to the exception handler. close() does this.
    coro<void> shutdown_asyncgens();

    /// A socket of the program's own, by its descriptor, which should be non-blocking (in debug mode a blocking one is a
    /// value_error) and belong to no transport. Each suspends until the kernel has done it; an error is a std::system_error that
    /// names the call. Cancelled, it ends when the kernel has let go of the buffer; what had come by then is given all the same,
    /// and the cancellation told to the task's next wait. How much of a cancelled sock_sendall() was sent is not known. Buffers
    /// are borrowed until the await ends. To be awaited in this loop: elsewhere runtime_error.
    coro<bytes> sock_recv(int fd, std::size_t n);
    coro<std::size_t> sock_recv_into(int fd, std::span<std::byte> buffer);
    coro<std::pair<bytes, address>> sock_recvfrom(int fd, std::size_t n);
    /// At most `n` bytes of the datagram; 0: as many as the buffer has room for. What is left of it is lost. n beyond the buffer:
    /// value_error.
    coro<std::pair<std::size_t, address>> sock_recvfrom_into(int fd, std::span<std::byte> buffer, std::size_t n = 0);
    coro<void> sock_sendall(int fd, bytes_view data);
    coro<std::size_t> sock_sendto(int fd, bytes_view data, address to);
    coro<void> sock_connect(int fd, address to);
    coro<std::pair<int, address>> sock_accept(int fd);

    /// Sends a file, by sendfile(2) in pieces; where the kernel cannot, by reading (256 KiB; for a transport 16 KiB) and sending.
    /// Gives the number of bytes. Whatever comes of it, also when it fails or is cancelled, the file's position is then
    /// behind the last byte that was sent. `file` is a descriptor, borrowed until then. A count of 0 and a socket that is no
    /// stream or blocks: value_error.
    coro<std::size_t> sock_sendfile(int fd, int file, sendfile_options options = {});
    /// The same behind what the transport has queued. Until it has ended, write() and another sendfile() are a runtime_error;
    /// close() waits for it; when the connection is lost it throws that error. A transport that is closing, or a pipe:
    /// runtime_error. A transport that is no socket's (TLS) gets the file by write().
    coro<std::size_t> sendfile(transport& to, int file, sendfile_options options = {});

    /// The addresses of a host and a service (a port's number or name), in the order in which they should be tried. An empty
    /// host: this machine. `family` (AF_*), `type` (SOCK_*) and `protocol` (IPPROTO_*) narrow the answer; `flags`: AI_*. By the
    /// loop's resolver. Cancelled, it returns at once. A name that does not exist, or nobody who knows: std::system_error of
    /// the category "resolver" (EAI_*).
    coro<std::vector<resolved>> getaddrinfo(std::string host, std::string service, int family = 0, int type = 0,
                                            int protocol = 0, int flags = 0);
    /// Host and service of an address, by the default executor; `flags`: NI_*. Cancellation and errors as above.
    coro<std::pair<std::string, std::string>> getnameinfo(address of, int flags = 0);
    /// From now on names are looked up by this one, by open_connection() and its kin too; null: getaddrinfo(3) in the default
    /// executor, as the system is configured. <rondo/io/resolver.hpp>
    void set_resolver(std::shared_ptr<resolver> r);

    // Protocols: <rondo/io/create_connection.hpp>, <rondo/io/create_server.hpp>, <rondo/io/create_datagram_endpoint.hpp>,
    // <rondo/io/connect_pipe.hpp>, <rondo/io/subprocess_exec.hpp>
    template <factory_of<protocol> F>
    coro<endpoint<factory_protocol_t<F>>>
    create_connection(F factory, std::string host, std::uint16_t port, detail::late_t<connect_options, F> options = {},
                      std::source_location where = std::source_location::current());
    template <factory_of<protocol> F>
    coro<endpoint<factory_protocol_t<F>>>
    create_unix_connection(F factory, std::string path, detail::late_t<connect_options, F> options = {},
                           std::source_location where = std::source_location::current());
    template <factory_of<protocol> F>
    coro<endpoint<factory_protocol_t<F>>>
    connect_accepted_socket(F factory, int fd, detail::late_t<connect_options, F> options = {},
                            std::source_location where = std::source_location::current());
    template <factory_of<protocol> F>
    coro<server> create_server(F factory, host_list on, std::uint16_t port,
                               detail::late_t<server_options, F> options = {},
                               std::source_location where = std::source_location::current());
    template <factory_of<protocol> F>
    coro<server> create_unix_server(F factory, std::string path, detail::late_t<server_options, F> options = {},
                                    std::source_location where = std::source_location::current());
    template <factory_of<datagram_protocol> F>
    coro<endpoint<factory_protocol_t<F>, datagram_transport>>
    create_datagram_endpoint(F factory, detail::late_t<datagram_options, F> options,
                             std::source_location where = std::source_location::current());
    template <factory_of<protocol> F>
    coro<endpoint<factory_protocol_t<F>>>
    connect_read_pipe(F factory, int fd, std::source_location where = std::source_location::current());
    template <factory_of<protocol> F>
    coro<endpoint<factory_protocol_t<F>>>
    connect_write_pipe(F factory, int fd, std::source_location where = std::source_location::current());
    template <factory_of<subprocess_protocol> F>
    coro<endpoint<factory_protocol_t<F>, subprocess_transport>>
    subprocess_exec(F factory, std::vector<std::string> argv, detail::late_t<subprocess_options, F> options = {},
                    std::source_location where = std::source_location::current());
    template <factory_of<subprocess_protocol> F>
    coro<endpoint<factory_protocol_t<F>, subprocess_transport>>
    subprocess_shell(F factory, std::string command, detail::late_t<subprocess_options, F> options = {},
                     std::source_location where = std::source_location::current());

    /// Which backend was chosen.
    backend_kind backend() const noexcept;

private:
    friend struct detail::loop_access;
    event_loop(std::unique_ptr<detail::backend> b, const loop_options& options);
    void check_usable() const {
        if (closed_ || state_.generation != detail::process_generation || state_.debug) [[unlikely]]
            check_usable_slowly();
    }
    void check_usable_slowly() const;
    void check_thread() const;
    void check_can_run() const;
    handle enqueue_threadsafe(detail::callback& c);
    /// fn as a copyable function; it may only be movable itself.
    template <class F> static std::function<void()> repeatable(F&& fn) {
        static_assert(detail::is_callback<F>, "a coroutine function is no callback: say [...] { spawn(fn); }");
        return [shared = std::make_shared<std::decay_t<F>>(std::forward<F>(fn))] { (*shared)(); };
    }
    void set_signal_handler(int signal, std::function<void()> fn, call_options options);
    void watch_descriptor(int fd, bool for_writing, std::function<void()> fn, call_options options);
    void start_running();
    void stop_running() noexcept;
    void let_host_sleep() noexcept;
    enum class how_many : std::uint8_t { one, until_stopped };
    bool run_passes(time_point until, how_many many);
    void look_outside(time_point until);
    bool poll_busily(time_point until);
    void wait(time_point until) noexcept;
    void run_ready();
    void run_watched(detail::ready_node& node);
    void forget_ready() noexcept;

    detail::loop_state state_;
    bool running_ = false;
    bool closed_ = false;
    bool stopping_ = false;
    std::atomic<duration::rep> slow_callback_duration_{duration(std::chrono::milliseconds(100)).count()};
    struct internals;
    std::unique_ptr<internals> internals_;
};

namespace detail {
inline loop_state& loop_access::state(event_loop& loop) noexcept { return loop.state_; }
[[noreturn]] void throw_no_running_loop();
} // namespace detail

/// The loop that runs in this thread. running_loop(): runtime_error when there is none.
inline event_loop& running_loop() {
    if (!detail::current_loop) [[unlikely]]
        detail::throw_no_running_loop();
    return *detail::current_loop;
}
inline event_loop* running_loop_or_null() noexcept { return detail::current_loop; }

} // namespace rondo
