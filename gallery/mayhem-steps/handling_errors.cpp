// handling-errors: one request that fails is the trouble of that request.
#include "mayhem-steps/service.hpp"

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>

namespace mayhem {

namespace {

struct host_is_gone : std::runtime_error {
    using std::runtime_error::runtime_error;
};

rondo::coro<> restart_some(request r) {
    if (r.id % 2 == 0) {
        co_await rondo::sleep(50ms);
        throw host_is_gone(r.host + " does not answer");
    }
    co_await restart_host(r);
}

// region handle
rondo::coro<> handle(request r) {
    if (r.id == 3) throw std::logic_error("a bug"); // what nobody has thought of
    // return_exceptions: save() is not left alone when restart_some() fails; both have ended when this line has
    const auto [restarted, saved] = co_await rondo::gather(rondo::return_exceptions, restart_some(r), save(r));
    saved.value(); // no error is expected of it: one that comes is thrown here
    if (restarted.holds<host_is_gone>()) {
        say(r.host + " given up: it does not answer");
    } else {
        restarted.value();
        say(r.host + " acknowledged");
    }
}
// endregion

// region consume
rondo::coro<> consume(requests& from, rondo::task_group& handlers) {
    while (auto r = co_await from.next())
        handlers.create_task(
            [](request one) -> rondo::coro<> {
                const auto outcome = co_await rondo::as_result(handle(one));
                if (outcome || outcome.cancelled()) co_return outcome.value();
                // Anything else would end the group, and all the requests in it with this one.
                rondo::running_loop().call_exception_handler(
                    {.message = one.host + " failed in a way that nobody expected", .exception = outcome.error()});
            },
            *r);
}
// endregion

void report(rondo::event_loop&, const rondo::error_context& what) {
    try {
        std::rethrow_exception(what.exception);
    } catch (const std::exception& e) {
        say(what.message + ": " + e.what());
    }
}

} // namespace

rondo::coro<> handling_errors() {
    rondo::running_loop().set_exception_handler(report);
    requests queue(10);
    co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
        group.create_task(publish, std::ref(queue), 5);
        group.create_task(consume, std::ref(queue), std::ref(group));
        co_return;
    });
}

} // namespace mayhem
