#include "loop/loop_visits.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/loop/event_loop.hpp>

#include <chrono>
#include <utility>

namespace rondo::detail {

namespace {

using thread_life = std::shared_ptr<std::atomic<bool>>;

constinit thread_local bool life_ended = false; // trivial, so that it is there to the very last

/// True while the thread is there.
thread_life life_of_this_thread() {
    struct owner {
        thread_life own = std::make_shared<std::atomic<bool>>(true);
        ~owner() {
            own->store(false);
            life_ended = true;
        }
    };
    if (life_ended) return std::make_shared<std::atomic<bool>>(false); // a static loop, after the thread's own objects
    thread_local const owner here;
    return here.own;
}

} // namespace

/// Rung once by each visitor, who may have left when it is heard.
struct loop_visits::doorbell {
    explicit doorbell(std::shared_ptr<loop_visits> v) noexcept : visits(std::move(v)) {}
    void heard() noexcept {
        const std::lock_guard<std::mutex> hold(visits->mutex_);
        visits->let_in();
    }
    const std::shared_ptr<loop_visits> visits;
    message_of<doorbell> rung{&doorbell::heard};
};

loop_visits::loop_visits() : home_(life_of_this_thread()) {}

void loop_visits::run_begins() {
    const std::lock_guard<std::mutex> hold(mutex_);
    running_ = true;
    home_ = life_of_this_thread();
}

void loop_visits::run_ends() noexcept {
    const std::lock_guard<std::mutex> hold(mutex_);
    running_ = false;
    let_in();
}

void loop_visits::close_begins() {
    const std::lock_guard<std::mutex> hold(mutex_);
    home_ = life_of_this_thread();
}

void loop_visits::close_ends() noexcept {
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        closed_ = true;
    }
    changed_.notify_all();
}

/// The mutex is held, the thread may look.
void loop_visits::let_in() noexcept {
    if (waiting_.empty()) return;
    for (visitor* v : std::exchange(waiting_, {})) {
        try {
            v->look(false);
        } catch (...) {
            v->error = std::current_exception();
        }
        v->seen = true;
    }
    changed_.notify_all();
}

visit_outcome loop_visits::visit(loop_door& door, std::function<void(bool here)> look, delay timeout) {
    const deadline until = timeout.is_none() ? std::nullopt : deadline_after(std::chrono::steady_clock::now(), timeout);
    std::unique_lock<std::mutex> lock(mutex_);
    if (closed_) return visit_outcome::closed;
    const bool ours = home_ == life_of_this_thread() || !home_->load();
    if (ours && !running_) {
        look(true);
        return visit_outcome::seen;
    }
    if (current_loop)
        throw runtime_error(
            "looking into another thread's event loop would block the one of this thread: say to_thread()");
    visitor me{.look = std::move(look)};
    const auto bell = std::make_shared<doorbell>(shared_from_this());
    waiting_.push_back(&me);
    lock.unlock();
    door.post(bell->rung, bell);
    lock.lock();
    const auto over = [&] { return me.seen || closed_; };
    if (until) changed_.wait_until(lock, *until, over);
    else changed_.wait(lock, over);
    if (me.error) std::rethrow_exception(me.error);
    if (me.seen) return visit_outcome::seen;
    waiting_.remove(&me);
    return closed_ ? visit_outcome::closed : visit_outcome::too_late;
}

} // namespace rondo::detail
