#include <rondo/task/detail/completion_core.hpp>

#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/wait_core.hpp>
#include <rondo/task/errors.hpp>

#include <utility>

namespace rondo::detail {

completion_core::completion_core(const std::vector<counted_ptr<future_state>>& futures, delay timeout) {
    for (const auto& f : futures) {
        if (!f) throw type_error("a null handle cannot be waited for");
        if (&f->loop() != &futures.front()->loop())
            throw value_error(f->label() + " belongs to a different event loop");
    }
    const std::vector<std::size_t> places = first_places(futures);
    watches_ = std::make_unique<watch[]>(places.size());
    count_ = left_ = places.size();
    if (!futures.empty()) until_ = deadline_after(futures.front()->loop().time(), timeout);
    for (std::size_t i = 0; i < count_; ++i) {
        watches_[i].owner = this;
        watches_[i].future = futures[places[i]];
        watches_[i].future->add_done_node(watches_[i]);
    }
}

completion_core::~completion_core() {
    for (std::size_t i = 0; i < count_; ++i) {
        if (watches_[i].linked()) watches_[i].future->remove_done_node(watches_[i]);
    }
}

void completion_core::watch::ended(done_node& node, future_state&) noexcept {
    auto& self = static_cast<watch&>(node);
    self.owner->add_done(self);
}

void completion_core::add_done(watch& w) noexcept {
    *last_done_ = &w;
    last_done_ = &w.next_done;
    if (waiter_) waiter_->one_ended();
}

counted_ptr<future_state> completion_core::take() noexcept {
    watch* const w = first_done_;
    if (!w) return {};
    first_done_ = w->next_done;
    if (!first_done_) last_done_ = &first_done_;
    --left_;
    return std::move(w->future);
}

completion_waiter::~completion_waiter() { leave(); }

bool completion_waiter::try_now() const {
    if (core_.waiter_) throw runtime_error("another task waits for the next of these futures already");
    return core_.one_is_done() || core_.exhausted();
}

void completion_waiter::enqueue() noexcept {
    core_.waiter_ = this;
    if (core_.until_) arm_timer(task()->loop(), alarm_, *core_.until_);
}

void completion_waiter::leave() noexcept {
    if (core_.waiter_ == this) core_.waiter_ = nullptr;
    if (alarm_.armed()) disarm_timer(task()->loop(), alarm_);
}

void completion_waiter::one_ended() noexcept {
    leave();
    settle();
}

void completion_waiter::alarm::ring(timer_node& node, event_loop&) noexcept {
    completion_waiter& self = static_cast<alarm&>(node).owner;
    self.leave();
    self.settle();
}

cancel_outcome completion_waiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    leave();
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr completion_waiter::failure() {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    if (!core_.one_is_done() && !core_.exhausted()) return make_timeout_error(nullptr);
    return nullptr;
}

std::string completion_waiter::describe() const {
    return "waiting for the next of " + std::to_string(core_.left_) + " futures";
}

void completion_waiter::waits_for(std::vector<const future_state*>& who) const {
    for (std::size_t i = 0; i < core_.count_; ++i) {
        if (core_.watches_[i].linked()) who.push_back(core_.watches_[i].future.get());
    }
}

} // namespace rondo::detail
