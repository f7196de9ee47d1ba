#include "loop/watchdog.hpp"

#include <rondo/coro/debug.hpp>
#include <rondo/coro/detail/exception_cast.hpp>

#include "loop/backend/native_names.hpp"
#include "loop/backend/os_thread.hpp"
#include "loop/inbox.hpp"
#include "loop/internals.hpp"
#include "loop/task_pictures.hpp"
#include "loop/text_of_place.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace rondo {

namespace detail {

namespace {

using std::chrono::milliseconds;
constexpr milliseconds looks_at_least_every{1000};
constexpr milliseconds looks_at_most_every{1};
constexpr milliseconds patience_for_an_answer{500};
constexpr std::size_t tasks_in_a_dump = 4096;

std::string name_of(const running_task& t) {
    return t.name_size != 0 ? std::string(t.name, t.name_size) : "Task-" + std::to_string(t.id);
}

} // namespace

bool watchdog_environment() noexcept {
    const char* const value = std::getenv("RONDO_WATCHDOG");
    return value && *value != '\0' && std::string_view(value) != "0";
}

void watchdog::start() {
    if (on()) return;
    prepare_probe(&answer);
    quits_.emplace();
    quits_seen_ = quit_watch::count();
    stopping_ = false;
    thread_ = start_thread("rondo-watchdog", [this] { watch(); });
}

void watchdog::stop() {
    if (!on()) return;
    if (thread_.get_id() == std::this_thread::get_id())
        throw runtime_error("a stall handler cannot end the watchdog that calls it");
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        stopping_ = true;
    }
    stopped_.notify_all();
    thread_.join();
    quits_.reset();
}

void watchdog::set_handler(stall_handler handler) {
    const std::lock_guard<std::mutex> hold(mutex_);
    handler_ = std::move(handler);
}

void watchdog::watch() {
    const loop_state& state = loop_access::state(loop_);
    std::uint64_t pass = 0;
    auto since = std::chrono::steady_clock::now();
    bool told = false;
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_) {
        const duration limit = loop_.slow_callback_duration();
        stopped_.wait_for(lock, std::clamp<duration>(limit / 4, looks_at_most_every, looks_at_least_every),
                          [&] { return stopping_; });
        if (stopping_) return;
        const auto now = std::chrono::steady_clock::now();
        const pid_t thread = runs_in_.load(std::memory_order_acquire);
        const bool sleeps = thread == 0 || inbox_.asleep();
        const std::uint64_t pass_now = state.passes.load(std::memory_order_relaxed);
        if (sleeps || pass != pass_now) {
            pass = pass_now;
            since = now;
            told = false;
        } else if (!told && now - since >= limit) {
            told = true;
            lock.unlock();
            tell(thread, pass, now - since);
            lock.lock();
        }
        if (const unsigned quits = quit_watch::count(); std::exchange(quits_seen_, quits) != quits) {
            lock.unlock();
            dump(thread);
            lock.lock();
        }
        looks_.fetch_add(1, std::memory_order_release);
    }
}

/// In the loop's thread, in a signal handler.
void watchdog::answer(const native_frames& native) noexcept {
    event_loop* const loop = current_loop;
    watchdog* const self = loop ? loop_access::watching(*loop) : nullptr;
    if (!self) return;
    phase now = phase::wanted;
    if (!self->phase_.compare_exchange_strong(now, phase::taken, std::memory_order_acquire)) return;
    const loop_state& state = loop_access::state(*loop);
    if (self->wanted_pass_ && *self->wanted_pass_ != state.passes.load(std::memory_order_relaxed)) {
        self->phase_.store(phase::over, std::memory_order_release);
        return;
    }
    self->sample_.native = native;
    self->sample_.task.id = 0;
    if (state.current && state.tasks_known) state.tasks_known->picture(*state.current, self->sample_.task);
    if (!self->all_.empty()) self->how_many_ = picture_tasks(state, self->all_);
    self->phase_.store(phase::ready, std::memory_order_release);
}

watchdog::outcome watchdog::fill_sample(pid_t thread, std::optional<std::uint64_t> pass) {
    wanted_pass_ = pass;
    phase_.store(phase::wanted, std::memory_order_release);
    const bool sent = probe_thread(thread);
    const auto until = std::chrono::steady_clock::now() + patience_for_an_answer;
    for (;;) {
        phase now = phase_.load(std::memory_order_acquire);
        if (now == phase::ready || now == phase::over) {
            phase_.store(phase::idle, std::memory_order_relaxed);
            return now == phase::ready ? outcome::filled : outcome::over;
        }
        const bool in_vain =
            !sent || runs_in_.load(std::memory_order_acquire) != thread || std::chrono::steady_clock::now() >= until;
        now = phase::wanted;
        if (in_vain && phase_.compare_exchange_strong(now, phase::idle, std::memory_order_acquire))
            return outcome::no_answer;
        std::this_thread::sleep_for(std::chrono::microseconds(200)); // in a signal handler nobody can be woken
    }
}

/// Of a loop that runs, whether it sleeps or is stuck: its thread fills the room.
void watchdog::dump(pid_t thread) {
    if (thread == 0) {
        report_line("SIGQUIT: an event loop that does not run now");
        return;
    }
    all_.resize(tasks_in_a_dump);
    how_many_ = 0;
    const std::string call = system_call_of(thread);
    if (fill_sample(thread, std::nullopt) == outcome::filled) {
        std::string text = "SIGQUIT: an event loop with " + std::to_string(how_many_) + " tasks";
        if (!call.empty()) text += ", in " + call;
        for (const running_task& t : std::span(all_).first(std::min(how_many_, all_.size()))) {
            text += "\n  task '" + name_of(t) + "' (made at " + text_of_place(t.created_at) + ")";
            if (t.id == sample_.task.id) text += " runs";
            for (const running_task::frame& frame : std::span(t.frames, t.depth))
                text += "\n    at " + text_of_place(frame.await_at) + " in " + frame.function.function_name();
        }
        if (how_many_ > all_.size()) text += "\n  ... and " + std::to_string(how_many_ - all_.size()) + " more";
        report_line(text);
    } else {
        report_line("SIGQUIT: an event loop whose thread does not answer" + (call.empty() ? "" : ", in " + call));
    }
    all_ = {};
}

void watchdog::tell(pid_t thread, std::uint64_t pass, duration lasting) {
    stall_report stall;
    stall.lasting = lasting;
    stall.system_call = system_call_of(thread); // before the signal takes it out of there
    const outcome asked = fill_sample(thread, pass);
    if (asked == outcome::over) return;
    if (asked == outcome::filled) {
        const running_task& t = sample_.task;
        if (t.id != 0) {
            stall.task_id = t.id;
            stall.task_name = name_of(t);
            stall.created_at = t.created_at;
            for (std::size_t i = 0; i < t.depth; ++i)
                stall.async_stack.push_back({t.frames[i].await_at, t.frames[i].function.function_name()});
        }
        stall.native_stack = names_of({sample_.native.at, sample_.native.depth});
    }
    stall_handler handler;
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        handler = handler_;
    }
    try {
        if (handler) handler(stall);
        else report_line(to_string(stall));
    } catch (...) {
        report_line("the stall handler itself failed: " + describe_exception(std::current_exception()));
    }
}

watchdog* loop_access::watching(event_loop& loop) noexcept { return loop.internals_->watching.get(); }

} // namespace detail

std::string to_string(const stall_report& stall) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(stall.lasting).count();
    std::string text = "the event loop has not come round for " + std::to_string(ms) + " ms";
    if (stall.task_id != 0) text += ": task '" + stall.task_name + "' runs";
    if (stall.created_at) text += " (made at " + detail::text_of_place(*stall.created_at) + ")";
    if (!stall.system_call.empty()) text += ", in " + stall.system_call;
    for (const stack_entry& frame : stall.async_stack)
        text += "\n    at " + detail::text_of_place(frame.where) + " in " + frame.function;
    if (!stall.native_stack.empty()) text += "\n  native stack:";
    for (const std::string& frame : stall.native_stack) text += "\n    " + frame;
    return text;
}

void event_loop::set_watchdog(bool on) {
    check_usable();
    if (!on) {
        if (internals_->watching) internals_->watching->stop();
        return;
    }
    detail::watchdog& dog = internals_->watched_by(*this);
    dog.start();
    if (running_) dog.run_begins();
}
bool event_loop::watchdog() const noexcept { return internals_->watching && internals_->watching->on(); }
void event_loop::set_stall_handler(rondo::stall_handler handler) {
    check_usable();
    internals_->watched_by(*this).set_handler(std::move(handler));
}

} // namespace rondo
