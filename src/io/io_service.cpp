#include "io/io_service.hpp"

#include <rondo/loop/event_loop.hpp>

#include <chrono>
#include <functional>

namespace rondo::detail {

namespace {

// What a program has written last must not be lost because it ends; a peer that does not read must not keep it from ending.
constexpr duration patience = std::chrono::seconds(1);

void run_passes(event_loop& loop, const std::function<bool()>& more, time_point until) noexcept {
    try {
        loop_access::run_while(loop, more, until);
    } catch (...) { // an exit request, while ending already
    }
}

} // namespace

void io_service::add(io_resource& r) noexcept {
    r.next_ = first_;
    if (first_) first_->previous_ = &r;
    first_ = &r;
}

void io_service::remove(io_resource& r) noexcept {
    if (&r == next_to_visit_) next_to_visit_ = r.next_;
    (r.previous_ ? r.previous_->next_ : first_) = r.next_;
    if (r.next_) r.next_->previous_ = r.previous_;
    r.next_ = r.previous_ = nullptr;
}

template <class F> void io_service::for_each(F f) noexcept {
    for (io_resource* r = first_; r; r = next_to_visit_) {
        next_to_visit_ = r->next_;
        f(*r);
    }
}

bool io_service::any_finishing() const noexcept {
    for (const io_resource* r = first_; r; r = r->next_) {
        if (r->is_finishing()) return true;
    }
    return false;
}

bool io_service::owns_descriptor(int fd) const noexcept {
    for (const io_resource* r = first_; r; r = r->next_) {
        if (r->owns_descriptor(fd)) return true;
    }
    return false;
}

void io_service::close(event_loop& loop, closing step) noexcept {
    if (step != closing::threads) return;
    for_each([](io_resource& r) { r.loop_is_closing(); });
    run_passes(loop, [this] { return any_finishing(); }, loop.time() + patience);
    ended_ = true;
    run_passes(loop, [this] { return scheduled_ > 0; }, time_point::max());
    for_each([](io_resource& r) { r.loop_is_closed(); });
}

} // namespace rondo::detail
