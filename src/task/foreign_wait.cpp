#include <rondo/coro/detail/foreign_wait.hpp>

#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <memory>
#include <new>

namespace rondo::detail {

class foreign_wait::parked final : public awaiter {
public:
    /// False: it is settled already, as cancelled.
    bool begin(std::coroutine_handle<> frame) noexcept {
        attach(header_of(frame));
        door_ = loop_access::door(task()->loop());
        return suspend(frame);
    }
    using awaiter::stop_waiting;
    using awaiter::take_interruption;
    using awaiter::was_cancelled;

    /// Any thread. In the loop's own, inside a pass, without a detour.
    void pass() noexcept {
        if (current_loop == &task()->loop()) {
            settle();
            return;
        }
        const std::shared_ptr<loop_door> door = door_; // once the message is posted this may be gone
        static_cast<void>(door->post([this] { settle(); }));
    }

    cancel_outcome cancel(const std::string&) noexcept override { return cancel_outcome::too_late; }
    std::string describe() const override { return "waiting for an awaiter that rondo does not know"; }

private:
    std::shared_ptr<loop_door> door_;
};

foreign_wait::foreign_wait() noexcept : resumable{&pass, nullptr} {
    static_assert(sizeof(parked) <= sizeof(place_) && alignof(parked) <= alignof(void*));
}

foreign_wait::parked& foreign_wait::place() noexcept { return *std::launder(reinterpret_cast<parked*>(place_)); }

foreign_wait::~foreign_wait() {
    if (begun_) place().~parked();
}

std::coroutine_handle<> foreign_wait::begin(std::coroutine_handle<> frame) noexcept {
    if (!header_of(frame).task) return frame;
    begun_ = true;
    return (new (place_) parked)->begin(frame) ? resumable::handle() : nullptr;
}

void foreign_wait::withdraw() noexcept {
    if (begun_) place().stop_waiting();
}

void foreign_wait::rethrow_if_cancelled() {
    if (place().was_cancelled()) std::rethrow_exception(place().take_interruption());
}

void foreign_wait::pass(resumable* gate) noexcept { static_cast<foreign_wait*>(gate)->place().pass(); }

} // namespace rondo::detail
