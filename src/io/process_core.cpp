#include "io/process_core.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/report.hpp"
#include "loop/backend/backend.hpp"

#include <cassert>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include <poll.h>

namespace rondo::detail {

namespace {

constexpr int unknown_status = 255; // asyncio's, when the status was taken by somebody else

} // namespace

void retain(process_core& p) noexcept { p.add_reference(); }
void release(process_core& p) noexcept { p.drop_reference(); }

/// The thread says it by way of the loop. Its core is the loop's alone, and null once that does not wait any more.
struct process_core::thread_news {
    explicit thread_news(process_core* c) noexcept : core(c) {}
    void arrived() noexcept {
        if (!core) return;
        const auto keep = counted_ptr<process_core>::adopt(std::exchange(core, nullptr));
        keep->ended(0);
    }
    process_core* core;
    message_of<thread_news> end{&thread_news::arrived};
};

process_core::process_core(event_loop& loop, spawned_process child)
    : loop_(loop), backend_(loop_access::backend(loop)), service_(service<io_service>(loop)), child_(child) {
    if (child_.pidfd < 0) watch_in_a_thread();
    service_.add(*this);
    if (child_.pidfd < 0) return;
    exit_op_.fd = child_.pidfd;
    exit_op_.flags = POLLIN;
    watch();
}

process_core::~process_core() { assert(!exit_op_.pending()); }

void process_core::watch() noexcept {
    for (;;) {
        add_reference();
        if (!backend_.submit(exit_op_)) return;
        ended(exit_op_.result);
        drop_reference();
        if (status_ || loop_closed_) return;
    }
}

/// The child is reaped in the loop, as any other: until then nobody else can have its number.
void process_core::watch_in_a_thread() {
    thread_news_ = std::make_shared<thread_news>(this);
    const int result = backend_.os().watch_exit(
        child_, [door = loop_access::door(loop_), news = thread_news_] { door->post(news->end, news); });
    if (result < 0) throw_os_error(-result, "cannot wait for process " + std::to_string(child_.pid));
    add_reference();
}

void process_core::completed(operation& op) noexcept {
    process_core& self = static_cast<exit_operation&>(op).core;
    const auto keep = counted_ptr<process_core>::adopt(&self);
    self.ended(op.result);
    if (!self.status_ && !self.loop_closed_) self.watch();
}

void process_core::ended(std::int64_t result) noexcept {
    if (result == -ECANCELED) return;
    int status = 0;
    const int reaped = backend_.os().reap(child_, status);
    if (reaped == 0) return;
    if (reaped < 0) {
        report_soon(loop_, {.message = "the exit status of process " + std::to_string(child_.pid) +
                                       " was taken by somebody else; its return code is given as 255"});
        status = unknown_status;
    }
    status_ = status;
    if (child_.pidfd >= 0) backend_.os().close(std::exchange(child_.pidfd, -1));
    service_.remove(*this);
    wake_if_over();
}

void process_core::attach(stream_core& pipe) noexcept {
    ++open_pipes_;
    add_reference();
    pipe.observe(this);
}

void process_core::stream_lost(stream_core&) noexcept {
    const auto keep = counted_ptr<process_core>::adopt(this);
    --open_pipes_;
    wake_if_over();
}

void process_core::wake_if_over() noexcept {
    if (!is_over()) return;
    while (!waiting_.empty()) waiting_.pop_front().over();
    if (observer_) std::exchange(observer_, nullptr)->process_over();
}

void process_core::observe(process_observer& by) noexcept {
    observer_ = &by;
    wake_if_over();
}

int process_core::try_signal(int signal) noexcept {
    if (status_ || loop_closed_) return -ESRCH;
    return backend_.os().send_signal(child_, signal);
}

void process_core::send_signal(int signal) {
    const int result = try_signal(signal);
    if (result < 0) {
        throw_os_error(-result,
                       "cannot send signal " + std::to_string(signal) + " to process " + std::to_string(pid()));
    }
}

void process_core::abandon() noexcept { try_signal(SIGKILL); }

void process_core::loop_is_closing() noexcept { try_signal(SIGKILL); }

/// It could not be reaped in time: the kernel keeps it until this process ends.
void process_core::loop_is_closed() noexcept {
    const counted_ptr<process_core> keep(this);
    loop_closed_ = true;
    backend_.cancel(exit_op_);
    service_.remove(*this);
    if (thread_news_ && std::exchange(thread_news_->core, nullptr)) drop_reference();
    wake_if_over();
}

process_wait_awaiter::~process_wait_awaiter() {
    if (listed_ && is_waiting()) of_->stop_waiting(*this);
}

bool process_wait_awaiter::try_now() const noexcept { return !of_ || of_->is_over(); }

void process_wait_awaiter::enqueue() noexcept {
    listed_ = true;
    of_->wait_until_over(*this);
}

cancel_outcome process_wait_awaiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    of_->stop_waiting(*this);
    listed_ = false;
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr process_wait_awaiter::failure() {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    if (!of_) return std::make_exception_ptr(runtime_error("this process was moved from"));
    if (!of_->status())
        return std::make_exception_ptr(runtime_error("the event loop was closed before the process had ended"));
    return nullptr;
}

int process_wait_awaiter::value() const noexcept { return *of_->status(); }

std::string process_wait_awaiter::describe() const {
    const std::string who = "process " + std::to_string(of_->pid());
    if (!of_->status()) return "waiting for " + who;
    return "waiting until the " + std::to_string(of_->open_pipes()) + " open pipes of " + who +
           ", which has ended, are disconnected";
}

} // namespace rondo::detail
