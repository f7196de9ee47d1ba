#include <rondo/loop/event_loop.hpp>

#include <rondo/coro/debug.hpp>
#include <rondo/coro/detail/exception_cast.hpp>

#include "loop/backend/os.hpp"
#include "loop/internals.hpp"
#include "loop/loop_registry.hpp"
#include "loop/told_run.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace rondo {

namespace {

constexpr unsigned poll_at_least_every = 61;
constexpr time_point no_wait = time_point::min();

} // namespace

event_loop::event_loop(loop_options options) : event_loop(detail::make_backend(options.backend), options) {
    internals_->busy_poll = options.busy_poll;
}

event_loop::event_loop(std::unique_ptr<detail::backend> b, const loop_options& options)
    : internals_(std::make_unique<internals>()) {
    internals_->backend = std::move(b);
    if (options.watchdog.value_or(detail::watchdog_environment())) set_watchdog(true);
    set_debug(options.debug.value_or(detail::debug_environment()));
    internals_->door = std::make_shared<detail::loop_door>(*this);
    detail::register_loop(*this);
}

event_loop::~event_loop() {
    if (state_.generation != detail::process_generation) {
        internals_->backend->abandon();
        detail::unregister_loop(*this);
        for (auto& entry : internals_->services) static_cast<void>(entry.second.release()); // they are the parent's
        static_cast<void>(internals_->signals.release());
        static_cast<void>(internals_->descriptors.release());
        static_cast<void>(internals_->watching.release());
        return;
    }
    if (!closed_) {
        if (state_.debug) detail::report_line("an event loop was destroyed without close(); closing it now");
        close();
    }
    forget_ready(); // a future that was set after close() had callbacks
}

void event_loop::forget_ready() noexcept {
    while (!state_.ready.empty()) detail::discard(state_.ready.pop());
}

void event_loop::check_usable_slowly() const {
    if (closed_) throw runtime_error("the event loop is closed");
    if (state_.generation != detail::process_generation)
        throw runtime_error("this event loop belongs to the parent process: make a new one after fork()");
    check_thread();
}

void event_loop::check_can_run() const {
    if (closed_) throw runtime_error("the event loop is closed");
    if (state_.generation != detail::process_generation)
        throw runtime_error("this event loop belongs to the parent process: make a new one after fork()");
    if (running_) throw runtime_error("this event loop is already running");
    if (detail::current_loop) throw runtime_error("another event loop is running in this thread");
}

void event_loop::start_running() {
    check_can_run();
    internals& in = *internals_;
    if (in.hosted) {
        state_.ready.tell_of_first(nullptr, nullptr);
        in.announced = no_wait;
        in.inbox.wake_up();
    }
    in.visits->run_begins();
    running_ = true;
    in.thread = std::this_thread::get_id();
    detail::current_loop = this;
    if (in.watching) in.watching->run_begins();
}

void event_loop::stop_running() noexcept {
    running_ = false;
    detail::current_loop = nullptr;
    if (state_.generation != detail::process_generation) return; // the child of a fork() in a callback
    if (internals_->watching) internals_->watching->run_ends();
    internals_->visits->run_ends();
    if (internals_->hosted) let_host_sleep();
}

/// Between two runs of a loop that lives in another one: from here on poll_fd() is what tells of work.
void event_loop::let_host_sleep() noexcept {
    internals& in = *internals_;
    if (!in.inbox.fall_asleep()) in.inbox.take(state_.ready);
    const bool work = !state_.ready.empty() || (in.signals && in.signals->pending());
    in.announced = work ? no_wait : in.timers.next_deadline();
    in.backend->announce(in.announced);
    if (work) return;
    state_.ready.tell_of_first(
        [](void* loop) noexcept {
            internals& now = *static_cast<event_loop*>(loop)->internals_;
            now.announced = no_wait;
            now.backend->announce(no_wait);
        },
        this);
}

void event_loop::run_forever() {
    start_running();
    struct end {
        event_loop& loop;
        ~end() {
            loop.stopping_ = false;
            loop.stop_running();
        }
    } at_end{*this};
    const detail::told_run told(state_);
    run_passes(time_point::max(), how_many::until_stopped);
}

bool event_loop::run_once(delay timeout) {
    start_running();
    struct end {
        event_loop& loop;
        ~end() {
            loop.stopping_ = false;
            loop.stop_running();
        }
    } at_end{*this};
    const detail::told_run told(state_);
    return run_passes(detail::deadline_after(time(), timeout).value_or(time_point::max()), how_many::one);
}

void event_loop::stop() noexcept { stopping_ = true; }

inline void event_loop::run_ready() {
    const detail::ready_node* last = state_.ready.back();
    for (bool more = true; more;) {
        detail::ready_node& node = state_.ready.pop();
        more = &node != last;
        state_.ready.prefetch_front(); // with a million tasks each is somewhere else in memory
        if (state_.watched) [[unlikely]]
            run_watched(node);
        else node.run(node, *this);
        if (state_.exit_request) [[unlikely]]
            std::rethrow_exception(std::exchange(state_.exit_request, nullptr));
    }
}

/// One function, since a pass with one task in it costs hardly more than a call. True: something ran in the last pass.
bool event_loop::run_passes(time_point until, how_many many) {
    internals& in = *internals_;
    bool ran = false;
    do {
        state_.passes.store(state_.passes.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        const bool poll_is_due = ++in.passes_without_poll >= poll_at_least_every;
        if (state_.ready.empty() || poll_is_due || !in.inbox.empty()) [[unlikely]]
            look_outside(until);
        if (in.signals && in.signals->pending()) [[unlikely]]
            in.signals->dispatch(*this);
        if (!in.timers.empty()) in.timers.fire_due(in.backend->now(), *this);
        ran = !state_.ready.empty();
        if (ran) [[likely]]
            run_ready();
    } while (many == how_many::until_stopped && !stopping_);
    return ran;
}

/// Takes what other threads have handed over, and polls when nothing is ready or the last poll is long ago.
void event_loop::look_outside(time_point until) {
    internals& in = *internals_;
    in.inbox.take(state_.ready);
    bool work = !state_.ready.empty();
    if (work && in.passes_without_poll < poll_at_least_every) return;
    in.passes_without_poll = 0;
    if (in.busy_poll > duration::zero() && !work && !stopping_) [[unlikely]]
        work = poll_busily(until);
    if (work || stopping_ || !in.inbox.fall_asleep()) {
        wait(no_wait);
    } else {
        const bool signalled = in.signals && in.signals->pending();
        wait(signalled ? no_wait : std::min(until, in.timers.next_deadline()));
        in.inbox.wake_up();
    }
    in.inbox.take(state_.ready);
}

handle event_loop::enqueue_threadsafe(detail::callback& c) {
    handle result(&c);
    c.retain();
    const bool open = state_.generation == detail::process_generation && internals_->door->enter([&](event_loop& loop) {
        detail::loop_access::push_from_outside(loop, c);
    });
    if (open) return result;
    detail::callback::discard(c);
    if (state_.generation == detail::process_generation) throw runtime_error("the event loop is closed");
    throw runtime_error("this event loop belongs to the parent process: make a new one after fork()");
}

void event_loop::close() {
    if (running_) throw runtime_error("a running event loop cannot be closed");
    if (closed_) return;
    if (state_.generation != detail::process_generation)
        throw runtime_error("this event loop belongs to the parent process: only that can close it");
    internals& in = *internals_;
    in.hosted = false;
    in.visits->close_begins();
    state_.ready.tell_of_first(nullptr, nullptr);
    const auto tell = [&](detail::closing step) {
        for (std::size_t i = in.services.size(); i-- > 0;) in.services[i].second->close(*this, step);
    };
    tell(detail::closing::work);
    tell(detail::closing::threads);
    in.executor_shut = true;
    in.default_executor.reset(); // joins its threads
    if (in.descriptors) in.descriptors->end();
    in.backend->drain();
    tell(detail::closing::frames);
    in.signals.reset();
    closed_ = true;
    state_.tasks_prepared = false; // so that it is asked whether the loop is closed
    in.visits->close_ends();
    in.door->shut();
    detail::unregister_loop(*this);
    if (state_.debug) detail::loops_in_debug.fetch_sub(1, std::memory_order_relaxed);
    if (in.watching) in.watching->stop();
    in.timers.fire_due(time_point::max(), *this);
    in.inbox.take(state_.ready);
    forget_ready();
    in.services.clear();
    in.descriptors.reset();
    in.backend.reset();
}

void event_loop::watch_descriptor(int fd, bool for_writing, std::function<void()> fn, call_options options) {
    check_usable();
    for (const auto& entry : internals_->services) {
        if (fd >= 0 && entry.second->owns_descriptor(fd))
            throw runtime_error("descriptor " + std::to_string(fd) +
                                " belongs to a transport or server of this event loop");
    }
    detail::loop_access::descriptors(*this).set(
        fd, for_writing ? detail::readiness::writable : detail::readiness::readable, std::move(fn), std::move(options));
}
bool event_loop::remove_reader(int fd) {
    if (closed_) return false;
    check_usable();
    return internals_->descriptors && internals_->descriptors->remove(fd, detail::readiness::readable);
}
bool event_loop::remove_writer(int fd) {
    if (closed_) return false;
    check_usable();
    return internals_->descriptors && internals_->descriptors->remove(fd, detail::readiness::writable);
}
void event_loop::notify_closing(int fd) {
    if (closed_) return;
    check_usable();
    if (internals_->descriptors) internals_->descriptors->notify_closing(fd);
}

time_point event_loop::time() const noexcept {
    return internals_->backend ? internals_->backend->now() : std::chrono::steady_clock::now();
}
int event_loop::poll_fd() const noexcept {
    if (closed_ || state_.generation != detail::process_generation) return -1;
    const int fd = internals_->backend->poll_fd();
    if (fd < 0) return -1;
    internals_->hosted = true; // at the end of the first run it is told when to come back
    return fd;
}
backend_kind event_loop::backend() const noexcept {
    return internals_->backend ? internals_->backend->kind() : backend_kind::automatic;
}

void event_loop::set_default_executor(std::shared_ptr<executor> e) {
    check_usable();
    if (!e) throw type_error("null is no executor");
    internals_->default_executor = std::move(e);
}
executor& event_loop::default_executor() {
    check_usable();
    if (internals_->executor_shut) throw runtime_error("the default executor of this event loop was shut down");
    auto& e = internals_->default_executor;
    if (!e) e = internals_->backend->os().make_thread_pool(0, "rondo");
    return *e;
}

time_point clock::now() noexcept {
    return detail::current_loop ? detail::current_loop->time() : std::chrono::steady_clock::now();
}

wall_clock::time_point wall_clock::now() noexcept {
    return detail::current_loop ? detail::loop_access::backend(*detail::current_loop).wall_now()
                                : std::chrono::system_clock::now();
}

namespace detail {

void throw_no_running_loop() { throw runtime_error("no event loop runs in this thread"); }

std::unique_ptr<event_loop> loop_access::make_loop(std::unique_ptr<detail::backend> world,
                                                   const loop_options& options) {
    return std::unique_ptr<event_loop>(new event_loop(std::move(world), options));
}

backend& loop_access::backend(event_loop& loop) noexcept { return *loop.internals_->backend; }
timer_queue& loop_access::timers(event_loop& loop) noexcept { return loop.internals_->timers; }

void loop_access::arm(event_loop& loop, timer_node& timer, time_point when) noexcept {
    event_loop::internals& in = *loop.internals_;
    in.timers.arm(timer, when);
    if (when >= in.announced) [[likely]]
        return;
    in.announced = when;
    in.backend->announce(when);
}

signal_dispatcher& loop_access::signals(event_loop& loop) {
    loop.check_usable();
    event_loop::internals& in = *loop.internals_;
    if (!in.signals) in.signals = std::make_unique<signal_dispatcher>(*in.backend, in.inbox);
    return *in.signals;
}

descriptor_watches& loop_access::descriptors(event_loop& loop) {
    loop.check_usable();
    event_loop::internals& in = *loop.internals_;
    if (!in.descriptors) in.descriptors = std::make_unique<descriptor_watches>(loop);
    return *in.descriptors;
}

loop_service* loop_access::find_service(event_loop& loop, service_key key) noexcept {
    for (auto& [k, s] : loop.internals_->services) {
        if (k == key) return s.get();
    }
    return nullptr;
}
void loop_access::add_service(event_loop& loop, service_key key, std::unique_ptr<loop_service> service) {
    loop.internals_->services.emplace_back(key, std::move(service));
}

void loop_access::set_error_reporter(event_loop& loop, void (*reporter)(event_loop&, const error_report&)) noexcept {
    loop.internals_->reporter = reporter;
}
void loop_access::report(event_loop& loop, const error_report& what) noexcept {
    if (loop.internals_->reporter) {
        loop.internals_->reporter(loop, what);
        return;
    }
    std::string line = what.message;
    if (what.exception) line += ": " + describe_exception(what.exception);
    report_line(line);
}

bool loop_access::run_while(event_loop& loop, const std::function<bool()>& more, time_point until) {
    if (!more()) return true;
    if (loop.time() >= until) return false;
    loop.start_running();
    struct end {
        event_loop& l;
        ~end() {
            l.stopping_ = false;
            l.stop_running();
        }
    } at_end{loop};
    const told_run told(loop.state_);
    do {
        loop.run_passes(until, event_loop::how_many::one);
        loop.stopping_ = false; // somebody's cleanup says stop(): it stops no more than this pass
        if (!more()) return true;
    } while (loop.time() < until);
    return false;
}

void loop_access::check_usable(const event_loop& loop) { loop.check_usable(); }
std::shared_ptr<loop_door> loop_access::door(event_loop& loop) noexcept { return loop.internals_->door; }
void loop_access::push_from_outside(event_loop& loop, ready_node& node) noexcept {
    if (loop.internals_->inbox.push(node)) loop.internals_->backend->wake();
}
void loop_access::shut_default_executor(event_loop& loop) noexcept { loop.internals_->executor_shut = true; }
std::shared_ptr<executor> loop_access::take_default_executor(event_loop& loop) noexcept {
    return std::move(loop.internals_->default_executor);
}
bool loop_access::is_open(const event_loop* loop) noexcept { return is_registered(loop); }

void listen_for_signal(event_loop& loop, signal_listener& listener) { loop_access::signals(loop).listen(listener); }
void stop_listening(event_loop& loop, signal_listener& listener) noexcept {
    if (listener.linked) loop_access::signals(loop).unlisten(listener);
}

void prepare_to_wait_for(event_loop& loop, int fd) { loop_access::descriptors(loop).make_room(fd); }
void add_waiter(event_loop& loop, descriptor_waiter& waiter) noexcept { loop_access::descriptors(loop).add(waiter); }
void remove_waiter(event_loop& loop, descriptor_waiter& waiter) noexcept {
    if (waiter.linked) loop_access::descriptors(loop).erase(waiter);
}

void arm_timer(event_loop& loop, timer_node& timer, time_point when) { loop_access::arm(loop, timer, when); }
void disarm_timer(event_loop& loop, timer_node& timer) noexcept {
    if (timer.armed()) loop_access::timers(loop).disarm(timer);
}

} // namespace detail
} // namespace rondo
