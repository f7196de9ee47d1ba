#include "service/shutdown.hpp"

#include "base/duration_text.hpp"
#include "base/error_text.hpp"
#include "base/errors.hpp"

#include <utility>

namespace mayhem {

namespace {

constexpr int last_step = 7;

// What is given back may be delivered to somebody else at once.
constexpr std::chrono::nanoseconds no_delay{};

} // namespace

rondo::coro<> shutdown::stop_work(rondo::task<> pulling, rondo::task<> publishing, rondo::task_group& handlers,
                                  in_flight& table, std::chrono::nanoseconds grace) {
    log_.info("shutdown: {}", end_.why());
    begin(1, "stop pulling");
    publishing.cancel();
    pulling.cancel();
    co_await rondo::wait({pulling, publishing}); // what they failed of was told when it happened

    begin(2, fmt::format("let {} in flight finish, for {} at most", table.size(), format_duration(grace)));
    auto empty = rondo::create_task(&in_flight::wait_until_empty, &table);
    auto hurried = rondo::create_task(&end_of_run::hurried, &end_);
    co_await rondo::finally(
        [&]() -> rondo::coro<> {
            co_await rondo::wait({empty, hurried}, {.timeout = grace, .return_when = rondo::first_completed});
            if (hurried.done()) log_.info("the grace period ends now: a second signal came");
        },
        [&]() -> rondo::coro<> {
            empty.cancel();
            hurried.cancel();
            co_await rondo::wait({empty, hurried});
        });

    begin(3, fmt::format("cancel and await {} still in flight", table.size()));
    handlers.cancel();
}

rondo::coro<> shutdown::give_back(in_flight& table, broker& to) {
    const std::vector<delivery_tag> unsettled = table.unsettled();
    begin(4, fmt::format("give {} unacknowledged back", unsettled.size()));
    for (const delivery_tag d : unsettled) {
        const rondo::result<void> given = co_await rondo::as_result(to.give_back(d, no_delay));
        if (!given && !given.holds<lease_lost>()) failure("give back", given.error());
        table.leave(d);
    }
}

rondo::coro<> shutdown::close(host_driver& driver, broker& b, store& s) {
    begin(5, "close hosts, broker and database");
    co_await guarded("close the hosts", driver.close());
    co_await guarded("close the broker", b.close());
    co_await guarded("close the database", s.close());
}

void shutdown::flush(const std::function<void()>& write_metrics) {
    begin(6, "flush the metrics");
    try {
        write_metrics();
    } catch (...) {
        failure("flush the metrics", std::current_exception());
    }
    begin(7, "flush the log");
}

void shutdown::begin(int step, std::string_view what) {
    phase_ = fmt::format("shutdown {}/{}: {}", step, last_step, what);
    log_.info("{}", phase_);
}

rondo::coro<> shutdown::guarded(std::string_view what, rondo::coro<> act) {
    const rondo::result<void> done = co_await rondo::as_result(std::move(act));
    if (!done) failure(what, done.error());
}

void shutdown::failure(std::string_view what, const std::exception_ptr& error) {
    failed_ = true;
    log_.error("{}: {}", what, error_text(error));
}

} // namespace mayhem
