// What the backends of the real world share: the clocks, randomness, the operating system, and the descriptor that wakes.
#pragma once

#include "loop/backend/backend.hpp"
#include "loop/backend/posix_os.hpp"

#include <array>
#include <cstdint>

namespace rondo::detail {

class native_backend : public backend {
public:
    ~native_backend() override;

    void wake() noexcept final;
    time_point now() const noexcept final;
    std::chrono::system_clock::time_point wall_now() const noexcept final;
    std::uint64_t random() noexcept final;

    /// What wait() sleeps at most: longer timeouts would overflow in some kernels, and a laptop's clock is checked daily.
    static constexpr duration longest_wait = std::chrono::hours(24);

protected:
    /// Throws std::system_error.
    native_backend();

    /// How long wait(until) may sleep: between nothing and longest_wait.
    duration time_left(time_point until) const noexcept;
    int wake_descriptor() const noexcept { return wake_descriptor_; }
    void close_wake_descriptor() noexcept;

private:
    int wake_descriptor_ = -1;
    std::array<std::uint64_t, 4> random_state_{};
};

} // namespace rondo::detail
