#include "io/process_start.hpp"

#include <rondo/io/errors.hpp>
#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

namespace rondo::detail {

/// What the thread and the loop share.
struct process_start_job {
    void ended() noexcept {
        if (waiting) waiting->answered();
    }
    spawn_request request;
    std::atomic<bool> unwanted{false};
    // The thread's until it has told the loop, or has ended.
    int result = -ECANCELED;
    spawned_process child;
    message_of<process_start_job> end{&process_start_job::ended};
    // The loop's
    process_start* waiting = nullptr;
};

namespace {

void run_job(const std::shared_ptr<process_start_job>& job, os& system, loop_door& door) noexcept {
    if (!job->unwanted.load()) job->result = system.spawn(job->request, job->child);
    door.post(job->end, job);
}

} // namespace

executor& process_starter::thread(event_loop& loop) {
    if (closed_) throw runtime_error("the event loop is closing: no process can be started");
    if (!thread_) thread_ = loop_access::backend(loop).os().make_thread_pool(1, "rondo-spawn");
    return *thread_;
}

/// Before frames are destroyed: no thread works for them then.
void process_starter::close(event_loop&, closing step) noexcept {
    if (step != closing::threads) return;
    closed_ = true;
    thread_.reset();
}

process_start::process_start(event_loop& loop, spawn_request request, std::string what)
    : loop_(loop),
      thread_(service<process_starter>(loop).thread(loop)),
      job_(std::make_shared<process_start_job>()),
      what_(std::move(what)) {
    job_->request = std::move(request);
}

process_start::~process_start() {
    job_->waiting = nullptr;
    const std::optional<spawned_process> child = take_child();
    if (!child) return;
    os& system = loop_access::backend(loop_).os();
    system.send_signal(*child, SIGKILL); // the kernel keeps it until this process ends
    if (child->pidfd >= 0) system.close(child->pidfd);
}

std::optional<spawned_process> process_start::take_child() noexcept {
    if (is_waiting() || job_->result < 0) return std::nullopt;
    job_->result = -ECANCELED;
    return job_->child;
}

void process_start::enqueue() noexcept {
    job_->waiting = this;
    os& system = loop_access::backend(loop_).os();
    try {
        thread_.submit([job = job_, &system, door = loop_access::door(loop_)] { run_job(job, system, *door); });
    } catch (const std::exception&) { // no thread, no memory: then here
        job_->result = system.spawn(job_->request, job_->child);
        settle();
    }
}

cancel_outcome process_start::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    mark_cancelled();
    job_->unwanted.store(true);
    return cancel_outcome::accepted;
}

std::exception_ptr process_start::failure() {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    return job_->result < 0 ? os_error(-job_->result, what_) : nullptr;
}

std::string process_start::describe() const { return "starting '" + job_->request.argv.front() + "'"; }

} // namespace rondo::detail
