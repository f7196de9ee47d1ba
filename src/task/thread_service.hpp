// What a loop knows of the threads that work for it, and how that ends.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/clock.hpp>
#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/task/detail/loop_guest.hpp>
#include <rondo/task/future.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

namespace rondo::detail {

class thread_call;

class thread_service final : public loop_service {
public:
    ~thread_service() override;

    /// How long close() waits for the default executor (asyncio.constants.THREAD_JOIN_TIMEOUT).
    duration patience = std::chrono::seconds(300);

    /// threads: waits, while passes go on, until the calls in the default executor have ended. frames: lets go of the rest.
    void close(event_loop& loop, closing step) noexcept override;

    void add(loop_guest& guest) noexcept;
    static void remove(loop_guest& guest) noexcept;

    void call_started() noexcept { ++calls_; }
    void call_ended() noexcept;
    /// Nothing may be given to the default executor any more; waits for what was, then joins its threads.
    coro<void> shut_down_executor(event_loop& loop, delay timeout);

private:
    /// What has not ended is given up; nobody waits for it any more.
    void name_unended(event_loop& loop);
    void wake_waiting() noexcept;
    void abandon_all() noexcept;

    loop_guest* guests_ = nullptr;
    std::size_t calls_ = 0;             // in the default executor, not ended
    std::vector<future<void>> waiting_; // for calls_ to be 0
};

} // namespace rondo::detail
