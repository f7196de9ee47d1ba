// sequential: coroutines that are only ever awaited are functions that take long.
#include "mayhem-steps/service.hpp"

namespace mayhem {

namespace {

// region sequential
rondo::coro<> consume(requests& from) {
    while (auto r = co_await from.next()) { // nullopt: shut down, and empty
        co_await restart_host(*r);
        co_await save(*r);
    }
}
// endregion

} // namespace

// region step
rondo::coro<> sequential() {
    requests queue(10);
    co_await publish(queue, 5); // nothing is consumed before the last is published
    co_await consume(queue);    // and each waits for the one before
}
// endregion

} // namespace mayhem
