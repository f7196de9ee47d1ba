// A shutdown that hangs, a watchdog that says why, and one that ends.

#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <vector>

namespace {

using namespace std::chrono_literals;

rondo::coro<> consume() {
    while (true) co_await rondo::sleep(20ms); // a message, now and then
}
rondo::coro<> publish() {
    co_await rondo::finally([] { return rondo::sleep_forever(); },
                            []() -> rondo::coro<> {
                                co_await rondo::sleep(200ms);
                                std::puts("  publisher: what was left has been sent");
                            });
}

// region shutdown
rondo::coro<> shut_down(rondo::event_loop& loop, bool collecting) {
    std::vector<rondo::any_task> others = rondo::all_tasks();
    std::erase(others, rondo::current_task());
    for (rondo::any_task& task : others) task.cancel();
    if (collecting) co_await rondo::gather(rondo::return_exceptions, others);
    else co_await rondo::gather(others); // throws what the first of them has come to: cancelled_error
    loop.stop();
}
// endregion

// region watchdog
/// What a person would want to know of a loop that should have ended.
void bark(const rondo::any_task& shutdown) {
    std::printf("  watchdog: 300 ms after the signal the loop still runs\n");
    std::printf("  watchdog: task '%s', made in line %u, %s\n", shutdown.name().c_str(), shutdown.created_at().line(),
                shutdown.cancelled() ? "was cancelled: by what it waited for, and a cancellation is not reported"
                                     : "has not ended");
    for (const rondo::any_task& task : rondo::all_tasks())
        std::printf("  watchdog: task '%s' waits in line %u\n", task.name().c_str(),
                    task.async_stack().front().where.line());
    if (rondo::all_tasks().empty()) std::puts("  watchdog: no other task is left, so nobody will say loop.stop()");
}
// endregion

// region serve
void serve(bool collecting) {
    rondo::event_loop loop;
    rondo::task<> shutdown;
    const auto consumer = loop.create_task({.name = "consumer"}, consume);
    const auto publisher = loop.create_task({.name = "publisher"}, publish);
    loop.add_signal_handler(SIGTERM, [&] {
        shutdown = loop.create_task({.name = "shutdown"}, shut_down, std::ref(loop), collecting);
        loop.call_later(300ms, [&] {
            bark(shutdown);
            loop.stop();
        });
    });
    loop.call_later(50ms, [] { ::raise(SIGTERM); });
    loop.run_forever();
}
// endregion

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A shutdown that hangs, a watchdog that says why, and one that ends.");
    options.done();
    for (const bool collecting : {false, true}) {
        std::printf("gather(%sothers)\n", collecting ? "return_exceptions, " : "");
        const auto began = std::chrono::steady_clock::now();
        serve(collecting);
        std::printf("  ended after %ld ms\n", static_cast<long>((std::chrono::steady_clock::now() - began) / 1ms));
    }
}
