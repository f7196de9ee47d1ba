// tested: the pipeline in a thousand worlds, and the bug that one of them shows.
#include "mayhem-steps/service.hpp"

#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>

#include <cstdio>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>

namespace mayhem {

namespace {

// region model
/// The parts that are not ours: a host that takes its time, and a database that sometimes fails.
struct outside {
    std::map<int, int> restarts;
    std::map<int, bool> saved;
    std::map<int, bool> acknowledged;

    rondo::coro<> restart(int id) {
        co_await rondo::sim::hesitate("restarting a host");
        ++restarts[id];
    }
    rondo::coro<> save(int id) {
        co_await rondo::sim::hesitate("saving");
        if (rondo::sim::perhaps("the database fails")) throw std::runtime_error("the database fails");
        saved[id] = true;
    }
};
// endregion

// region handlers
rondo::coro<> acknowledge_at_last(outside& world, int id) {
    const auto [restarted, saved] = co_await rondo::gather(rondo::return_exceptions, world.restart(id), world.save(id));
    if (restarted && saved) world.acknowledged[id] = true;
}

rondo::coro<> acknowledge_once_restarted(outside& world, int id) {
    auto saving = rondo::create_task(&outside::save, std::ref(world), id);
    co_await world.restart(id);
    world.acknowledged[id] = true;
    co_await rondo::wait({saving});
    static_cast<void>(saving.exception()); // the broker has been told already: there is nothing to be done
}
// endregion

// region property
/// What must hold in every world: what is acknowledged was restarted, once, and saved.
rondo::coro<> check(rondo::coro<> (*handle)(outside&, int)) {
    outside world;
    co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
        for (int id = 1; id <= 3; ++id) group.create_task(handle, std::ref(world), id);
        co_return;
    });
    for (int id = 1; id <= 3; ++id) {
        if (world.restarts[id] != 1) throw std::logic_error("a host was not restarted exactly once");
        if (world.acknowledged[id] && !world.saved[id]) throw std::logic_error("acknowledged and not saved: lost");
    }
}
// endregion

void explore(const char* name, rondo::coro<> (*handle)(outside&, int)) {
    const auto found = rondo::sim::explore({.schedules = 1000}, [handle] { return check(handle); });
    std::printf("%s: %s after %zu schedules\n", name, found.counter_example ? "wrong" : "right", found.schedules);
    if (found.counter_example) std::printf("%s\n", found.counter_example->str().c_str());
}

} // namespace

void tested() {
    explore("acknowledge when all is done", acknowledge_at_last);
    explore("acknowledge once the host is restarted", acknowledge_once_restarted);
}

} // namespace mayhem
