// The part of a loop that the floors above reach into: its ready queue, its current task, its list of tasks.
#pragma once

#include <rondo/coro/debug.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/ready_queue.hpp>
#include <rondo/loop/detail/task_floor.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>

namespace rondo {
class event_loop;
class executor;
class base_protocol;
class base_transport;
class transport;
struct loop_options;
} // namespace rondo

namespace rondo::detail {

class task_record;
class scope_node;
class future_state;
class callback;
class backend;
class descriptor_watches;
class loop_door;
class loop_observer;
class signal_dispatcher;
class timer_queue;
class watchdog;
struct timer_node;

/// Rises by one in the child of every fork(): a loop belongs to the process that made it.
extern int process_generation;

/// The loop that runs in this thread, or null.
extern constinit thread_local event_loop* current_loop;

/// No two loops of a process have the same number, also when one is made where another one was.
std::uint64_t new_loop_number() noexcept;

/// runtime_error when `loop` is in debug mode and runs in another thread. It may be gone by now.
void check_thread_slowly(const event_loop* loop);
/// While no loop is in debug mode, one branch.
inline void check_thread(const event_loop* loop) {
    if (loops_in_debug.load(std::memory_order_relaxed) != 0) [[unlikely]]
        check_thread_slowly(loop);
}

struct loop_state {
    ready_queue ready;
    task_record* current = nullptr; // the task whose step runs
    task_record* tasks = nullptr;   // the newest task that is not done; linked by the task floor
    task_record* oldest_task = nullptr;
    std::exception_ptr exit_request;      // ends run_forever() after the step that set it
    std::atomic<std::uint64_t> passes{0}; // written by the loop's thread alone; the watchdog looks on
    const std::uint64_t number = new_loop_number();
    int generation = process_generation;
    duration patience = std::chrono::seconds(10); // how long close() waits for cancelled tasks
    loop_observer* observer = nullptr;            // loop_access::observe()
    bool debug = false;
    bool watched = false;                    // debug, or there is an observer: each step is looked at
    bool closing = false;                    // frames are being destroyed
    bool tasks_prepared = false;             // the task floor has its service here, and the loop is not closed
    const task_floor* tasks_known = nullptr; // null: the task floor never had its service here
    const void* task_factory = nullptr;      // its custom factory
};

/// What nobody else will see. The handler that the task floor installs makes an error_context of it.
struct error_report {
    std::string message;
    std::exception_ptr exception = nullptr;
    future_state* future = nullptr;
    task_record* task = nullptr;
    callback* handle = nullptr;
    rondo::transport* transport = nullptr;
    std::optional<std::source_location> created_at = std::nullopt; // where none of these tells it
    base_transport* any_transport = nullptr;
    std::shared_ptr<base_protocol> protocol = nullptr;
    int socket = -1;
    std::optional<std::source_location> asyncgen = std::nullopt;
};

/// The steps of a loop's end, in this order. Between `threads` and `frames` all operations of the backend are ended.
enum class closing { work, threads, frames };

/// What a floor above keeps for each loop: made on first use. In each step of the end the newest service comes first.
class loop_service {
public:
    loop_service() = default;
    loop_service(const loop_service&) = delete;
    loop_service& operator=(const loop_service&) = delete;
    virtual ~loop_service() = default;
    /// The loop is closing. In the first two steps it can still run passes (loop_access::run_while).
    virtual void close(event_loop&, closing) noexcept {}
    /// This descriptor is its own affair: the program may not watch it.
    virtual bool owns_descriptor(int) const noexcept { return false; }
};
using service_key = const void*;

/// The way in for the floors above.
struct loop_access {
    /// A loop in a world of the caller's; the options' backend is ignored.
    static std::unique_ptr<event_loop> make_loop(std::unique_ptr<detail::backend> world, const loop_options& options);
    static loop_state& state(event_loop& loop) noexcept;
    static detail::backend& backend(event_loop& loop) noexcept;
    static timer_queue& timers(event_loop& loop) noexcept;
    static void arm(event_loop& loop, timer_node& timer, time_point when) noexcept;
    /// Made on first use.
    static signal_dispatcher& signals(event_loop& loop);
    static descriptor_watches& descriptors(event_loop& loop);
    static loop_service* find_service(event_loop& loop, service_key key) noexcept;
    static void add_service(event_loop& loop, service_key key, std::unique_ptr<loop_service> service);
    static void set_error_reporter(event_loop& loop, void (*reporter)(event_loop&, const error_report&)) noexcept;
    static void report(event_loop& loop, const error_report& what) noexcept;
    /// Runs passes while `more` says so and `until` has not come. False: time is up. For the end of a loop.
    static bool run_while(event_loop& loop, const std::function<bool()>& more, time_point until);
    static void check_usable(const event_loop& loop);
    static void check_thread(const event_loop& loop);
    /// Null: nobody has asked for one.
    static detail::watchdog* watching(event_loop& loop) noexcept;
    /// Null: nobody. The loop's thread.
    static void observe(event_loop& loop, loop_observer* observer) noexcept;
    static void set_busy_poll(event_loop& loop, duration before_sleeping) noexcept;
    /// Any thread: calls look(), here or in the loop's thread, while the loop is between two callbacks. A closed loop: false.
    /// Not let in before `timeout`: throws what late() gives. runtime_error when the loop belongs to another process, or a loop
    /// of this thread would have to wait.
    static bool visit(event_loop& loop, std::function<void(bool here)> look, delay timeout,
                      const std::function<std::exception_ptr()>& late);
    /// For threads that may outlive the loop.
    static std::shared_ptr<loop_door> door(event_loop& loop) noexcept;
    /// Inside the door: hands a message, or a callback with the count it was born with, to the loop and wakes that.
    static void push_from_outside(event_loop& loop, ready_node& node) noexcept;
    /// From now on event_loop::default_executor() throws.
    static void shut_default_executor(event_loop& loop) noexcept;
    /// Null when there is none.
    static std::shared_ptr<executor> take_default_executor(event_loop& loop) noexcept;
    /// The loop exists and is not closed. Any thread; a lock: for rare paths.
    static bool is_open(const event_loop* loop) noexcept;
};

/// The S of this loop, made on first use. S derives from loop_service. O(number of services).
template <class S> S& service(event_loop& loop) {
    static constexpr char key = 0;
    if (loop_service* found = loop_access::find_service(loop, &key)) return static_cast<S&>(*found);
    auto made = std::make_unique<S>();
    S& s = *made;
    loop_access::add_service(loop, &key, std::move(made));
    return s;
}

} // namespace rondo::detail
