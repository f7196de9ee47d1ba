// The third implementation of the seam: no system call, no clock, no random source.
#pragma once

#include "loop/backend/backend.hpp"
#include "sim/simulated_os.hpp"
#include "sim/simulation.hpp"

namespace rondo::sim::detail {

/// A loop's view of a world, which is the caller's and lives longer.
class simulated_backend : public rondo::detail::backend {
public:
    explicit simulated_backend(simulation& world) noexcept : world_(world), os_(world) {}

    backend_kind kind() const noexcept override {
        return backend_kind::automatic;
    } // none of those that can be asked for
    bool takes_files() const noexcept override { return world_.takes_files(); }
    bool submit(rondo::detail::operation& op) noexcept override { return world_.submit(op); }
    void cancel(rondo::detail::operation& op) noexcept override { world_.cancel(op); }
    void wait(time_point until) noexcept override { world_.wait(until); }
    void wake() noexcept override { world_.wake(); }
    void drain() noexcept override { world_.drain(); }
    void abandon() noexcept override {}
    int poll_fd() noexcept override { return world_.missing("a descriptor for a host loop"); }
    void announce(time_point) noexcept override {}
    time_point now() const noexcept override { return world_.now; }
    std::chrono::system_clock::time_point wall_now() const noexcept override { return world_.wall(); }
    std::uint64_t random() noexcept override { return world_.random.next(); }
    rondo::detail::os& os() noexcept override { return os_; }

private:
    simulation& world_;
    simulated_os os_;
};

} // namespace rondo::sim::detail
