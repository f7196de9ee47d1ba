// shut-down: a signal ends the service in order, and every request is accounted for.
#include "mayhem-steps/service.hpp"

#include <csignal>
#include <functional>
#include <utility>

namespace mayhem {

namespace {

struct books {
    int taken = 0, acknowledged = 0, returned = 0;
};

// region handle
rondo::coro<> handle(books& b, request r) {
    const auto outcome = co_await rondo::as_result(rondo::gather(restart_host(r), save(r)));
    if (!outcome) {
        ++b.returned; // somebody else will get it: what is not acknowledged is not lost
        say(r.host + " given back");
        outcome.value(); // the cancellation goes on: it was not ours to keep
    }
    ++b.acknowledged;
    say(r.host + " acknowledged");
}
// endregion

rondo::coro<> consume(books& b, requests& from, rondo::task_group& handlers) {
    while (auto r = co_await from.next()) {
        ++b.taken;
        handlers.create_task(handle, std::ref(b), *r);
    }
}

rondo::coro<> publish_for_ever(requests& to) {
    for (int id = 1;; ++id) {
        co_await rondo::sleep(100ms);
        co_await to.put({id});
    }
}

} // namespace

// region step
rondo::coro<> shut_down() {
    rondo::signal_receiver signals({SIGINT, SIGTERM, SIGHUP});
    rondo::running_loop().call_later(750ms, [] { ::raise(SIGTERM); }); // or Ctrl-C, if you are faster
    books b;
    requests queue(10);
    co_await rondo::task_group::run([&](rondo::task_group& handlers) -> rondo::coro<> {
        co_await rondo::task_group::run([&](rondo::task_group& sources) -> rondo::coro<> {
            sources.create_task(publish_for_ever, std::ref(queue));
            sources.create_task(consume, std::ref(b), std::ref(queue), std::ref(handlers));
            const int signal = (co_await signals.next()).value();
            say("signal " + std::to_string(signal) + ": no more requests are taken");
            sources.cancel();
        });
        co_await rondo::sleep(120ms); // a grace for what is in flight
        say("the rest is cancelled");
        handlers.cancel();
    });
    say(std::to_string(b.taken) + " requests taken = " + std::to_string(b.acknowledged) + " acknowledged + " +
        std::to_string(b.returned) + " given back");
}
// endregion

} // namespace mayhem
