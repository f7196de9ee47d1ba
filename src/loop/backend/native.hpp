// What the backends of the real world share: the clocks, randomness, the operating system, and the descriptors that wake.
#pragma once

#include "loop/backend/backend.hpp"
#include "loop/backend/host_descriptor.hpp"
#include "loop/backend/posix_os.hpp"

#include <array>
#include <cstdint>

namespace rondo::detail {

class native_backend : public backend {
public:
    ~native_backend() override;

    void wake() noexcept final;
    int poll_fd() noexcept final;
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
    /// Lets the host's descriptor watch what is readable when, after announce(), wait() has something to do. 0 or -errno.
    virtual int show_work(host_descriptor& to) noexcept = 0;
    /// In the child of a fork().
    void close_descriptors() noexcept;

    /// The host sleeps until then; what changes that is said with tell_host().
    void let_host_sleep(time_point until) noexcept;
    /// In submit() and cancel(): the kernel hears of it in the next wait(), so the host has to come round.
    void tell_host() noexcept {
        if (host_sleeps_) [[unlikely]]
            wake_host();
    }
    void host_is_awake() noexcept { host_sleeps_ = false; }

private:
    void wake_host() noexcept;

    bool host_sleeps_ = false;
    host_descriptor host_;
    int wake_descriptor_ = -1;
    std::array<std::uint64_t, 4> random_state_{};
};

} // namespace rondo::detail
