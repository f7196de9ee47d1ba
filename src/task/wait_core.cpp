#include <rondo/task/detail/wait_core.hpp>

#include <algorithm>
#include <functional>
#include <numeric>

namespace rondo::detail {

std::vector<std::size_t> first_places(const std::vector<counted_ptr<future_state>>& futures) {
    const auto which = [&](std::size_t place) { return futures[place].get(); };
    std::vector<std::size_t> places(futures.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::ranges::sort(places, std::less<>(), [&](std::size_t place) { return std::pair(which(place), place); });
    const auto repeated = std::ranges::unique(places, std::equal_to<>(), which);
    places.erase(repeated.begin(), repeated.end());
    std::ranges::sort(places);
    return places;
}

wait_awaiter::wait_awaiter(std::vector<counted_ptr<future_state>> futures, return_when condition)
    : watches_(std::make_unique<watch[]>(futures.size())), count_(futures.size()), condition_(condition) {
    for (std::size_t i = 0; i < count_; ++i) watches_[i].future = std::move(futures[i]);
}

wait_awaiter::wait_awaiter(wait_awaiter&& other) noexcept
    : leaf_awaiter(static_cast<leaf_awaiter&&>(other)),
      watches_(std::move(other.watches_)),
      count_(std::exchange(other.count_, 0)),
      condition_(other.condition_) {}

wait_awaiter::~wait_awaiter() { unwatch(); }

bool wait_awaiter::try_now() {
    for (std::size_t i = 0; i < count_; ++i) {
        const future_state* f = watches_[i].future.get();
        if (!f) throw type_error("a null handle cannot be waited for");
        if (!f->done() && &f->loop() != &task()->loop())
            throw value_error(f->label() + " belongs to a different event loop");
    }
    return false;
}

void wait_awaiter::enqueue() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        future_state& f = *watches_[i].future;
        if (f.done()) look_at(f);
        else ++pending_;
    }
    if (satisfied()) {
        settle();
        return;
    }
    for (std::size_t i = 0; i < count_; ++i) {
        watches_[i].owner = this;
        if (!watches_[i].future->done()) watches_[i].future->add_done_node(watches_[i]);
    }
}

void wait_awaiter::look_at(const future_state& f) noexcept {
    one_done_ = true;
    one_failed_ = one_failed_ || f.state() == future_state::status::error;
}

bool wait_awaiter::satisfied() const noexcept {
    if (pending_ == 0) return true;
    return (condition_ == return_when::first_completed && one_done_) ||
           (condition_ == return_when::first_exception && one_failed_);
}

void wait_awaiter::watch::ended(done_node& node, future_state& of) noexcept {
    wait_awaiter& self = *static_cast<watch&>(node).owner;
    --self.pending_;
    self.look_at(of);
    if (self.is_waiting() && self.satisfied()) self.settle();
}

void wait_awaiter::unwatch() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
        if (watches_[i].linked()) watches_[i].future->remove_done_node(watches_[i]);
    }
}

cancel_outcome wait_awaiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    unwatch();
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr wait_awaiter::failure() { return take_interruption(); }

std::string wait_awaiter::describe() const { return "waiting for " + std::to_string(pending_) + " futures"; }

void wait_awaiter::waits_for(std::vector<const future_state*>& who) const {
    for (std::size_t i = 0; i < count_; ++i) {
        if (!watches_[i].future->done()) who.push_back(watches_[i].future.get());
    }
}

} // namespace rondo::detail
