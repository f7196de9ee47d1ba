#include <rondo/sim/mock_clock.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>

#include "sim/simulation.hpp"

namespace rondo::sim {

namespace {

detail::simulation& here() { return static_cast<detail::simulation&>(world()); }

} // namespace

mock_clock::mock_clock() {
    if (!here().hold_time()) throw runtime_error("there is a mock_clock already");
}
mock_clock::~mock_clock() {
    if (detail::current_simulation) detail::current_simulation->let_time_go();
}

coro<> mock_clock::jump(duration by) {
    if (by < duration::zero()) throw value_error("time does not go back");
    future<> there = create_future<>();
    if (!here().pass_time(by, there)) throw runtime_error("another jump is going on");
    co_await there;
}

} // namespace rondo::sim
