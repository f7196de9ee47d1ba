// What as_completed() does, whatever the futures hold.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/timer.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace rondo::detail {

class completion_waiter;

/// Knows who is done and has not been given yet, in the order of their ends.
class completion_core {
public:
    completion_core(const std::vector<counted_ptr<future_state>>& futures, delay timeout);
    completion_core(const completion_core&) = delete;
    completion_core& operator=(const completion_core&) = delete;
    ~completion_core();

    bool exhausted() const noexcept { return left_ == 0; }
    bool one_is_done() const noexcept { return first_done_ != nullptr; }
    /// Of those that are done the oldest.
    counted_ptr<future_state> take() noexcept;

private:
    friend class completion_waiter;
    struct watch : done_node {
        watch() noexcept : done_node(&ended) {}
        static void ended(done_node& node, future_state& of) noexcept;
        completion_core* owner = nullptr;
        counted_ptr<future_state> future;
        watch* next_done = nullptr;
    };
    void add_done(watch& w) noexcept;

    std::unique_ptr<watch[]> watches_;
    std::size_t count_;
    std::size_t left_; // not given yet
    watch* first_done_ = nullptr;
    watch** last_done_ = &first_done_;
    deadline until_;
    completion_waiter* waiter_ = nullptr;
};

class completion_waiter : public awaiter {
public:
    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;
    void waits_for(std::vector<const future_state*>& who) const override;
    void one_ended() noexcept;

protected:
    explicit completion_waiter(completion_core& of) noexcept : core_(of) {}
    completion_waiter(completion_waiter&& other) noexcept
        : awaiter(static_cast<awaiter&&>(other)), core_(other.core_) {}
    ~completion_waiter();

    bool try_now() const;
    void enqueue() noexcept;
    std::exception_ptr failure();
    /// Null after the last.
    counted_ptr<future_state> take() noexcept { return core_.take(); }

private:
    struct alarm : timer_node {
        explicit alarm(completion_waiter& o) noexcept : timer_node(&ring), owner(o) {}
        static void ring(timer_node& node, event_loop& loop) noexcept;
        completion_waiter& owner;
    };
    void leave() noexcept;

    completion_core& core_;
    alarm alarm_{*this};
};

} // namespace rondo::detail
