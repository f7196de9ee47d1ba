#include "support/simulated_loop.hpp"

#include <rondo/loop/options.hpp>

#include "sim/simulated_backend.hpp"

#include <thread>

namespace rondo::test {

namespace {

struct own_world {
    own_world() { world.begin({}, sim::fault_classes::none()); }
    sim::detail::simulation world;
};

class world_of_its_own final : own_world, public sim::detail::simulated_backend {
public:
    world_of_its_own() : simulated_backend(world) {}
    void wait(time_point until) noexcept override {
        simulated_backend::wait(until);
        if (!world.is_stuck()) return;
        world.forget_stuck();
        std::this_thread::yield();
    }
};

} // namespace

std::unique_ptr<event_loop> make_simulated_loop(bool debug) {
    return detail::loop_access::make_loop(std::make_unique<world_of_its_own>(), {.debug = debug});
}

} // namespace rondo::test
