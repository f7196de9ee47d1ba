// debugged: one request does not end, and the service is asked why.
#include "mayhem-steps/service.hpp"

#include <functional>
#include <string>

namespace mayhem {

namespace {

// region stuck
rondo::coro<> health_page(request r) {
    if (r.id == 2) co_await rondo::sleep_forever(); // a host that accepts a connection, and says nothing
    co_await rondo::sleep(50ms);
}

rondo::coro<> handle(request r) {
    co_await restart_host(r);
    co_await health_page(r);
    say(r.host + " acknowledged");
}
// endregion

// region question
/// The tasks that there are, and where each of them waits.
rondo::coro<> ask(rondo::task_group& handlers) {
    co_await rondo::sleep(1s);
    say("still there:");
    for (rondo::any_task& task : rondo::all_tasks()) {
        if (!task.name().starts_with("request")) continue;
        rondo::print_call_graph(task);
    }
    handlers.cancel();
}
// endregion

} // namespace

rondo::coro<> debugged() {
    co_await rondo::task_group::run([](rondo::task_group& group) -> rondo::coro<> {
        for (int id = 1; id <= 3; ++id)
            group.create_task({.name = "request " + std::to_string(id)}, handle, request{id});
        group.create_task({.name = "question"}, ask, std::ref(group));
        co_return;
    });
}

} // namespace mayhem
