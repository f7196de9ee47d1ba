#include "task/thread_service.hpp"

#include <rondo/coro/debug.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/thread_call.hpp>
#include <rondo/task/move_on_after.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace rondo {

namespace detail {

namespace {

/// Executors with threads that do not end: joining them would never end either.
void leave_alone(std::shared_ptr<executor> stuck) {
    static auto& mutex = *new std::mutex;
    static auto& left = *new std::vector<std::shared_ptr<executor>>;
    const std::lock_guard<std::mutex> hold(mutex);
    left.push_back(std::move(stuck));
}

} // namespace

thread_service::~thread_service() { abandon_all(); }

void thread_service::add(loop_guest& guest) noexcept {
    guest.previous_ = &guests_;
    guest.next_ = guests_;
    if (guests_) guests_->previous_ = &guest.next_;
    guests_ = &guest;
}

void thread_service::remove(loop_guest& guest) noexcept {
    *guest.previous_ = guest.next_;
    if (guest.next_) guest.next_->previous_ = guest.previous_;
    guest.previous_ = nullptr;
    guest.next_ = nullptr;
}

void loop_guest::enter(event_loop& loop) {
    self_ = shared_from_this();
    service<thread_service>(loop).add(*this);
}

void loop_guest::leave() noexcept {
    if (!self_) return;
    thread_service::remove(*this);
    const std::shared_ptr<loop_guest> until_the_end = std::move(self_);
}

void thread_service::call_ended() noexcept {
    if (--calls_ == 0) wake_waiting();
}

void thread_service::wake_waiting() noexcept {
    for (future<void>& f : std::exchange(waiting_, {})) f.try_set_result();
}

void thread_service::close(event_loop& loop, closing step) noexcept {
    if (step == closing::frames) abandon_all();
    if (step != closing::threads) return;
    const time_point until = loop.time() + patience;
    // A loop that is closed inside another one's callback cannot run: then it cannot wait for threads that wait for it.
    while (calls_ > 0 && !running_loop_or_null() && loop.time() < until) {
        try {
            loop_access::run_while(loop, [this] { return calls_ > 0; }, until);
        } catch (...) { // an exit request: the rest still has to end
            loop_access::report(loop, {.message = "asked to exit while the event loop was closing",
                                       .exception = std::current_exception()});
        }
    }
    if (calls_ > 0) name_unended(loop);
}

coro<void> thread_service::shut_down_executor(event_loop& loop, delay timeout) {
    loop_access::shut_default_executor(loop);
    if (calls_ > 0) {
        auto ended = loop.create_future<void>();
        waiting_.push_back(ended);
        if (timeout.is_none()) co_await ended;
        else static_cast<void>(co_await move_on_after(timeout, ended));
    }
    if (calls_ > 0) name_unended(loop);
    loop_access::take_default_executor(loop).reset(); // its threads are idle: to join them takes no time
}

void thread_service::name_unended(event_loop& loop) {
    if (auto pool = loop_access::take_default_executor(loop)) leave_alone(std::move(pool));
    std::vector<std::shared_ptr<thread_call>> unended;
    for (loop_guest* g = guests_; g; g = g->next_) {
        auto call = std::dynamic_pointer_cast<thread_call>(g->self_);
        if (call && call->uses_default_executor()) unended.push_back(std::move(call));
    }
    calls_ = 0;
    for (const auto& call : unended) {
        const char* how = call->has_begun()   ? "has not ended, and its thread is left alone: "
                          : call->is_queued() ? "has not begun, and will not: "
                                              : nullptr; // it was cancelled before it began
        const std::string message = "at the end of the executor a call " + std::string(how ? how : "");
        if (how) loop_access::report(loop, {.message = message + call->description()});
        call->give_up();
    }
    wake_waiting(); // others who wait for the same calls
}

void thread_service::abandon_all() noexcept {
    while (loop_guest* guest = guests_) {
        const std::shared_ptr<loop_guest> until_the_end = guest->self_;
        guest->leave();
        guest->abandon();
    }
}

} // namespace detail

coro<void> event_loop::shutdown_default_executor(delay timeout) {
    check_usable();
    co_await detail::service<detail::thread_service>(*this).shut_down_executor(*this, timeout);
}

} // namespace rondo
