// extended: who takes longer than the broker waits has to say so, until the work is done and no moment longer.
#include "mayhem-steps/service.hpp"

#include <functional>

namespace mayhem {

namespace {

// region extended
/// The broker gives a request to somebody else when it hears nothing for a while.
rondo::coro<> extend(request r) {
    while (true) {
        co_await rondo::sleep(120ms);
        say(r.host + " lease extended");
    }
}

rondo::coro<> handle(request r) {
    co_await rondo::select(rondo::gather(restart_host(r), save(r)), extend(r)); // the first to end ends the other
    say(r.host + " acknowledged");
}
// endregion

rondo::coro<> consume(requests& from, rondo::task_group& handlers) {
    while (auto r = co_await from.next()) handlers.create_task(handle, *r);
}

} // namespace

rondo::coro<> extended() {
    requests queue(10);
    co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
        group.create_task(publish, std::ref(queue), 3);
        group.create_task(consume, std::ref(queue), std::ref(group));
        co_return;
    });
}

} // namespace mayhem
