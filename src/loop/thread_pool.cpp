#include <rondo/loop/executor.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "loop/backend/os_thread.hpp"
#include "loop/simulated_thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace rondo {

executor::~executor() = default;

constinit thread_local bool detail::in_simulated_thread = false;

/// Workers share it, so that a pool may be destroyed by its own work.
struct thread_pool::state {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> work;
    std::vector<std::thread> threads;
    std::size_t idle = 0; // threads that wait
    std::size_t limit = 0;
    std::string name;
    ::pid_t process = ::getpid();
    bool closing = false;

    static void run(const std::shared_ptr<state>& s) noexcept;
    static void start_thread(const std::shared_ptr<state>& s);
};

/// As many as Python's: a few more than processors, since most work waits for something.
static std::size_t default_threads() noexcept {
    return std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4);
}

thread_pool::thread_pool(std::size_t threads, std::string_view name) : state_(std::make_shared<state>()) {
    state_->limit = threads ? threads : default_threads();
    state_->name = name;
    if (event_loop* const here = running_loop_or_null())
        simulated_ = detail::loop_access::backend(*here).os().simulated_threads();
}

void thread_pool::state::run(const std::shared_ptr<state>& s) noexcept {
    std::unique_lock<std::mutex> lock(s->mutex);
    for (;;) {
        ++s->idle;
        s->changed.wait(lock, [&] { return s->closing || !s->work.empty(); });
        --s->idle;
        if (s->work.empty()) return;
        {
            std::function<void()> work = std::move(s->work.front());
            s->work.pop_front();
            lock.unlock();
            work();
        }
        lock.lock();
    }
}

/// Called with the lock held.
void thread_pool::state::start_thread(const std::shared_ptr<state>& s) {
    s->threads.reserve(s->threads.size() + 1);
    s->threads.push_back(detail::start_thread(s->name + "-" + std::to_string(s->threads.size()), [s] { run(s); }));
}

void thread_pool::submit(std::function<void()> work) {
    if (simulated_) {
        simulated_->submit(std::move(work));
        return;
    }
    state& s = *state_;
    if (s.process != ::getpid())
        throw runtime_error("this thread pool belongs to the parent process: make a new one after fork()");
    std::lock_guard<std::mutex> lock(s.mutex);
    s.work.push_back(std::move(work));
    if (s.work.size() > s.idle && s.threads.size() < s.limit && !s.closing) {
        try {
            state::start_thread(state_);
        } catch (const std::system_error&) {
            if (s.threads.empty()) { // nobody would ever do it
                s.work.pop_back();
                throw;
            }
        }
    }
    s.changed.notify_one();
}

thread_pool::~thread_pool() {
    state& s = *state_;
    if (s.process != ::getpid()) {
        // In a forked child there are no threads to join, and the mutex may be held by one of them for ever.
        static auto& inherited = *new std::vector<std::shared_ptr<state>>;
        inherited.push_back(std::move(state_));
        return;
    }
    {
        std::lock_guard<std::mutex> lock(s.mutex);
        s.closing = true;
    }
    s.changed.notify_all();
    for (std::thread& thread : s.threads) {
        if (thread.get_id() == std::this_thread::get_id()) thread.detach();
        else thread.join();
    }
}

} // namespace rondo
