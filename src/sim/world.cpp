#include <rondo/sim/world.hpp>

#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/sleep.hpp>

#include "sim/simulation.hpp"

namespace rondo::sim {

namespace {

detail::simulation& here() {
    if (detail::current_simulation) return *detail::current_simulation;
    throw runtime_error("this is not a simulated run");
}

const detail::simulation& inside(const simulated_world& w) noexcept {
    return static_cast<const detail::simulation&>(w);
}
detail::simulation& inside(simulated_world& w) noexcept { return static_cast<detail::simulation&>(w); }

} // namespace

time_point simulated_world::now() const noexcept { return inside(*this).now; }
std::chrono::system_clock::time_point simulated_world::wall_now() const noexcept { return inside(*this).wall(); }
void simulated_world::step_wall_clock(duration by) noexcept { inside(*this).step_wall(by); }
void simulated_world::set_wall_clock_drift(double parts_per_million) noexcept {
    inside(*this).set_wall_drift(parts_per_million);
}
std::uint64_t simulated_world::seed() const noexcept { return inside(*this).seed; }

simulated_world& world() { return here(); }

std::uint32_t choose(std::uint32_t n, label what) {
    if (n == 0) throw value_error("there is nothing to choose from");
    const detail::allocating_for_the_world own;
    return here().choose(n, what);
}
bool perhaps(label what) { return choose(2, what) != 0; }

coro<> hesitate(label what) {
    for (std::uint32_t passes = choose(4, what); passes > 0; --passes) co_await yield();
}

coro<> wait_all_tasks_blocked() {
    future<> idle = running_loop().create_future<>();
    here().tell_when_idle(idle);
    co_await idle;
}

} // namespace rondo::sim
