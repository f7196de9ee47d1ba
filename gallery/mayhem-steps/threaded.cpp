// threaded: the broker's client blocks, so it lives in a thread.
#include "mayhem-steps/service.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

namespace mayhem {

namespace {

/// Somebody else's library, which knows nothing of loops.
class blocking_client {
public:
    std::optional<request> pull() {
        std::this_thread::sleep_for(100ms);
        if (next_ > 5) return std::nullopt;
        return request{next_++};
    }

private:
    int next_ = 1;
};

rondo::coro<> handle(request r) {
    co_await rondo::gather(restart_host(r), save(r));
    say(r.host + " acknowledged");
}

// region threaded
rondo::coro<> consume(rondo::task_group& handlers) {
    blocking_client broker;
    while (auto r = co_await rondo::to_thread(&blocking_client::pull, &broker)) {
        say(r->host + " pulled by a thread");
        handlers.create_task(handle, *r);
    }
}
// endregion

} // namespace

rondo::coro<> threaded() {
    rondo::duration longest{};
    const auto heartbeat = [&]() -> rondo::coro<> { // the loop goes on meanwhile
        for (auto last = rondo::clock::now();;) {
            co_await rondo::sleep(10ms);
            longest = std::max(longest, rondo::clock::now() - std::exchange(last, rondo::clock::now()));
        }
    };
    const auto service = []() -> rondo::coro<> {
        co_await rondo::task_group::run([](rondo::task_group& group) { return consume(group); });
    };
    co_await rondo::select(service(), heartbeat());
    say("the loop was never away for longer than " + std::to_string(longest / 1ms) + " ms");
}

} // namespace mayhem
