// The started async generators of a loop.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/task/detail/async_generator_frame.hpp>

namespace rondo::detail {

class async_generator_registry final : public loop_service {
public:
    ~async_generator_registry() override;
    /// It was started.
    void add(async_generator_frame& frame, event_loop& loop) noexcept;
    /// From now on one that is started is told to the exception handler.
    void shut_down() noexcept { shut_down_ = true; }
    /// Closes those that are left, after the tasks have ended: whoever owns them is not a task.
    void close(event_loop& loop, closing step) noexcept override;
    /// Closes all that are suspended now, beside each other; errors go to the exception handler.
    coro<void> close_all(event_loop& loop);

private:
    friend class async_generator_frame;
    static constexpr duration closing_patience = std::chrono::seconds(10);
    coro<void> close_one(const async_generator_frame* which);
    async_generator_frame* first_ = nullptr;
    bool shut_down_ = false;
};

} // namespace rondo::detail
