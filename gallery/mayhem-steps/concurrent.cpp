// concurrent: what need not wait for each other becomes tasks.
#include "mayhem-steps/service.hpp"

#include <functional>

namespace mayhem {

namespace {

// region concurrent
rondo::coro<> handle(request r) {
    co_await rondo::gather(restart_host(r), save(r));
    say(r.host + " done");
}

rondo::coro<> consume(requests& from, rondo::task_group& handlers) {
    while (auto r = co_await from.next()) handlers.create_task(handle, *r);
}
// endregion

} // namespace

// region step
rondo::coro<> concurrent() {
    requests queue(10);
    co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
        group.create_task(publish, std::ref(queue), 5);
        group.create_task(consume, std::ref(queue), std::ref(group));
        co_return; // the group ends when all of them have
    });
}
// endregion

} // namespace mayhem
