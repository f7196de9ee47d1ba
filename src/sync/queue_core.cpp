#include <rondo/sync/detail/queue_core.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/sync/errors.hpp>

#include <algorithm>

namespace rondo::detail {

queue_core::queue_core(capacity maxsize) : maxsize_(maxsize) {
    if (maxsize.value() == 0)
        throw value_error("a queue of capacity 0 could never take an item: say rondo::unbounded for no limit");
}

/// After each change. An item that is promised makes room, so getters come first.
void queue_core::serve() noexcept {
    while (!getters_.empty() && available() > 0) getters_.promise_first(promised_items_);
    while (!putters_.empty() && !full()) putters_.promise_first(promised_places_);
    if (is_drained()) getters_.dismiss_all();
}

void queue_core::task_done() {
    if (unfinished_ == 0) throw value_error("task_done() was called more often than items were put");
    joiners_.check_thread();
    if (--unfinished_ == 0) joiners_.dismiss_all();
}

void queue_core::shut_down() noexcept {
    shut_down_ = true;
    putters_.dismiss_all();
    if (is_drained()) getters_.dismiss_all();
}

void queue_core::drop() noexcept {
    promised_items_.revoke_all();
    unfinished_ -= std::min(unfinished_, items_);
    items_ = 0;
    if (unfinished_ == 0) joiners_.dismiss_all();
}

void queue_core::bind(event_loop& loop) {
    if (!bound_.bind(loop)) throw_bound_elsewhere("a queue");
}

std::string queue_core::level() const {
    const std::string of = maxsize_.is_unbounded() ? std::string() : " of " + std::to_string(maxsize_.value());
    return "a queue that holds " + std::to_string(available()) + of + " items";
}

bool queue_getter::try_now() {
    queue_core& q = *core_;
    if (q.available() > 0 && q.promised_items_.empty()) {
        q.promised_items_.push(*this);
        q.serve();
        return true;
    }
    if (q.is_drained()) return true;
    q.bind(task()->loop());
    return false;
}

void queue_getter::enqueue() noexcept {
    if (core_->available() == 0) {
        core_->getters_.push(*this);
        return;
    }
    core_->promised_items_.push(*this); // it resumes behind those who were promised theirs before
    settle();
    core_->serve();
}

std::exception_ptr queue_getter::find_interruption() noexcept {
    if (std::exception_ptr interruption = take_interruption()) {
        give_back();
        return interruption;
    }
    return abandonment();
}

void queue_getter::return_item() noexcept {
    core_->promised_items_.remove(*this);
    core_->serve();
}

std::string queue_getter::describe() const { return "waiting for an item of " + core_->level(); }

bool queue_putter::try_now() {
    queue_core& q = *core_;
    if (q.shut_down_) return true;
    if (!q.full() && q.promised_places_.empty()) {
        q.promised_places_.push(*this);
        return true;
    }
    q.bind(task()->loop());
    return false;
}

void queue_putter::enqueue() noexcept {
    if (core_->full()) {
        core_->putters_.push(*this);
        return;
    }
    core_->promised_places_.push(*this); // it resumes behind those who were promised theirs before
    settle();
}

std::exception_ptr queue_putter::find_failure() noexcept {
    if (std::exception_ptr interruption = take_interruption()) {
        give_back();
        return interruption;
    }
    if (std::exception_ptr gone = abandonment()) return gone;
    if (!core_->shut_down_) return nullptr;
    give_back();
    return std::make_exception_ptr(queue_shut_down());
}

void queue_putter::return_place() noexcept {
    core_->promised_places_.remove(*this);
    core_->serve();
}

std::string queue_putter::describe() const { return "waiting for room in " + core_->level(); }

bool queue_joiner::try_now() {
    if (core_->unfinished_ == 0) return true;
    core_->bind(task()->loop());
    return false;
}

void queue_joiner::enqueue() noexcept { core_->joiners_.push(*this); }

std::exception_ptr queue_joiner::failure() noexcept {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    return abandonment();
}

std::string queue_joiner::describe() const {
    return "waiting until " + std::to_string(core_->unfinished_) + " items of a queue are done";
}

} // namespace rondo::detail
