#include <rondo/task/guest_run.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/wait.hpp>

#include "loop/backend/readable_watch.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <vector>

namespace rondo {

namespace detail {

namespace {

constexpr std::chrono::seconds executor_patience{300}; // asyncio.constants.THREAD_JOIN_TIMEOUT

} // namespace

guest_core::guest_core(post run_in_host) : run_in_host_(std::move(run_in_host)) {}
guest_core::~guest_core() { close(); }

std::shared_ptr<guest_core> guest_core::make(post run_in_host,
                                             const std::function<std::unique_ptr<event_loop>()>& loop_factory,
                                             std::optional<bool> debug) {
    if (!run_in_host) throw value_error("guest_run() needs run_in_host");
    if (running_loop_or_null()) throw runtime_error("guest_run() cannot be called from a running event loop");
    auto core = std::make_shared<guest_core>(std::move(run_in_host));
    core->loop_ = loop_factory ? loop_factory() : std::make_unique<event_loop>();
    if (debug) core->loop_->set_debug(*debug);
    const int fd = core->loop_->poll_fd();
    if (fd < 0) throw std::system_error(EMFILE, std::generic_category(), "no descriptor for the guest's loop");
    core->watch_ = std::make_unique<readable_watch>(fd, [weak = core->weak_from_this()] {
        if (const std::shared_ptr<guest_core> self = weak.lock()) self->request_pass();
    });
    return core;
}

void guest_core::begin(task_base main, collector collect) {
    main_ = std::move(main);
    collect_ = std::move(collect);
    request_pass();
}

/// Any thread.
void guest_core::request_pass() {
    run_in_host_([weak = weak_from_this()] {
        if (const std::shared_ptr<guest_core> self = weak.lock()) self->make_pass();
    });
}

void guest_core::make_pass() {
    if (over()) return;
    in_pass_ = true;
    try {
        loop_->run_once(duration::zero());
    } catch (...) { // an exit request
        if (!exit_) exit_ = std::current_exception();
    }
    in_pass_ = false;
    if (abandoned_) {
        close();
        return;
    }
    if (phase_ == phase::running && (exit_ || main_.done())) {
        phase_ = phase::ending;
        ending_ = loop_->create_task(&end_work, std::ref(*loop_));
    }
    if (phase_ == phase::ending && ending_.done()) {
        const std::function<void()> tell = collect_(exit_);
        close();
        if (tell) tell();
    } else if (!loop_access::state(*loop_).ready.empty()) {
        request_pass();
    } else {
        watch_->arm();
    }
}

/// What runner::close() does, but for the waiting: the host goes on meanwhile.
coro<void> guest_core::end_work(event_loop& loop) {
    const time_point until = loop.time() + loop_access::state(loop).patience;
    for (std::vector<any_task> others; loop.time() < until;) {
        others = all_tasks(loop);
        std::erase(others, current_task());
        if (others.empty()) break;
        for (any_task& t : others) t.cancel("the event loop is closing");
        static_cast<void>(co_await as_result(rondo::wait(others, {.timeout = until - loop.time()})));
    }
    static_cast<void>(co_await as_result(loop.shutdown_asyncgens()));
    static_cast<void>(co_await as_result(loop.shutdown_default_executor(executor_patience)));
    loop_access::state(loop).patience = duration::zero(); // what has not ended by now has had its time
}

void guest_core::close() noexcept {
    if (over()) return;
    phase_ = phase::over;
    watch_.reset();
    if (loop_) loop_->close();
    collect_ = nullptr;
    main_ = {};
    ending_ = {};
}

void guest_core::abandon() {
    if (in_pass_) abandoned_ = true; // the pass holds this
    else close();
}

} // namespace detail

guest& guest::operator=(guest&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
}
guest::~guest() {
    if (core_) core_->abandon();
}
bool guest::cancel(const std::string& message) const { return !core_->over() && core_->cancel(message); }
bool guest::done() const noexcept { return core_->over(); }
event_loop& guest::loop() const noexcept { return core_->loop(); }

} // namespace rondo
