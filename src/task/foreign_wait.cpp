#include <rondo/coro/detail/foreign_wait.hpp>

#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/task_record.hpp>

#include <memory>
#include <new>
#include <utility>

namespace rondo::detail {

class foreign_wait::parked final : public awaiter {
    /// May be under way when the frame is destroyed, at the end of the loop.
    struct news {
        explicit news(parked* p, std::shared_ptr<loop_door> to) noexcept : of(p), door(std::move(to)) {}
        void arrived() noexcept {
            if (of) of->settle();
        }
        parked* of; // the loop's
        const std::shared_ptr<loop_door> door;
        message_of<news> resumed{&news::arrived};
    };

public:
    explicit parked(event_loop& loop) : news_(std::make_shared<news>(this, loop_access::door(loop))) {}
    ~parked() { news_->of = nullptr; }

    /// False: it is settled already, as cancelled.
    bool begin(std::coroutine_handle<> frame) noexcept {
        attach(header_of(frame));
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
        const std::shared_ptr<news> told = news_; // once the message is posted this may be gone
        static_cast<void>(told->door->post(told->resumed, told));
    }

    cancel_outcome cancel(const std::string&) noexcept override { return cancel_outcome::too_late; }
    std::string describe() const override { return "waiting for an awaiter that rondo does not know"; }

private:
    const std::shared_ptr<news> news_;
};

foreign_wait::foreign_wait() noexcept : resumable{&pass} {
    static_assert(sizeof(parked) <= sizeof(place_) && alignof(parked) <= alignof(void*));
}

foreign_wait::parked& foreign_wait::place() noexcept { return *std::launder(reinterpret_cast<parked*>(place_)); }

foreign_wait::~foreign_wait() {
    if (begun_) place().~parked();
}

std::coroutine_handle<> foreign_wait::begin(std::coroutine_handle<> frame) {
    task_record* const task = task_of_frame(header_of(frame));
    if (!task) return frame;
    auto* const place = new (place_) parked(task->loop());
    begun_ = true;
    return place->begin(frame) ? resumable::handle() : nullptr;
}

void foreign_wait::withdraw() noexcept {
    if (begun_) place().stop_waiting();
}

void foreign_wait::rethrow_if_cancelled() {
    if (place().was_cancelled()) std::rethrow_exception(place().take_interruption());
}

void foreign_wait::pass(resumable* gate) noexcept { static_cast<foreign_wait*>(gate)->place().pass(); }

} // namespace rondo::detail
