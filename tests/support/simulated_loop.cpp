#include "support/simulated_loop.hpp"

#include <rondo/loop/options.hpp>

#include "sim/simulated_backend.hpp"

#include <cstddef>
#include <system_error>
#include <thread>
#include <utility>

namespace rondo::test {

namespace {

struct own_world {
    own_world() { world.begin({}, sim::fault_classes::none()); }
    sim::detail::simulation world;
};

class world_of_its_own final : public own_world, public sim::detail::simulated_backend {
public:
    world_of_its_own() : simulated_backend(world) {}
    void wait(time_point until) noexcept override {
        simulated_backend::wait(until);
        if (!world.is_stuck()) return;
        world.forget_stuck();
        std::this_thread::yield();
    }
};

sim::detail::network& network_of(event_loop& loop) {
    return static_cast<world_of_its_own&>(detail::loop_access::backend(loop)).world.network;
}

} // namespace

std::unique_ptr<detail::backend> make_simulated_backend() { return std::make_unique<world_of_its_own>(); }

std::array<int, 2> make_simulated_pair(event_loop& loop) {
    constexpr std::size_t window = 212'992; // socket(7): wmem_default
    std::pair<int, int> ends;
    const int error = network_of(loop).make_pair(window, ends);
    if (error) throw std::system_error(-error, std::generic_category(), "a simulated pair of sockets");
    return {ends.first, ends.second};
}

std::size_t simulated_descriptors(event_loop& loop) { return network_of(loop).open_count(); }

std::unique_ptr<event_loop> make_simulated_loop(bool debug) {
    return detail::loop_access::make_loop(make_simulated_backend(), {.debug = debug});
}

} // namespace rondo::test
