#include "pipeline/handler.hpp"

#include "base/duration_text.hpp"
#include "base/error_text.hpp"
#include "base/errors.hpp"

#include <algorithm>
#include <utility>

namespace mayhem {

namespace {

using namespace std::chrono_literals;

// A second delivery of a request that is in hand: soon enough to be settled after the first, late enough not to spin.
constexpr std::chrono::nanoseconds duplicate_delay = 1s;
constexpr std::chrono::nanoseconds first_save_pause = 50ms;
constexpr std::chrono::nanoseconds longest_save_pause = 5s;
// Restarts whose redelivery never comes back to us: the oldest is forgotten, the store still knows most of them.
constexpr std::size_t most_remembered = 10'000;

} // namespace

struct handler::work {
    delivery_tag tag = {};
    std::uint32_t failures = 0;
    rondo::time_point began = {};
    restart_record record = {};
    bool saved = false;   // the finished record is durable
    bool lost = false;    // the delivery is not ours any more
    bool settled = false; // acknowledged by us, or left to the broker to deliver again or bury

    bool finished() const noexcept { return record.state != restart_state::started; }
};

rondo::coro<> handler::handle(delivery d) {
    work w{.tag = d.tag, .failures = d.failures, .began = rondo::clock::now()};
    std::string malformed;
    try {
        w.record = {.what = decode_request(d.payload), .by = d.tag, .started_at = wall_now()};
    } catch (const restart_impossible& e) {
        malformed = e.what();
    }

    rondo::result<void> outcome;
    if (!malformed.empty()) {
        outcome = co_await rondo::as_result(bury(w, malformed));
    } else if (const std::string id = w.record.what.id; !p_.in_flight.claim(id)) {
        outcome = co_await rondo::as_result(give_back_duplicate(w));
    } else {
        outcome =
            co_await rondo::as_result(rondo::finally([&] { return work_under_lease(w); }, [&] { return clean_up(w); }));
        if (!outcome && !outcome.cancelled()) outcome = co_await rondo::as_result(after_failure(w, outcome.error()));
        p_.in_flight.disclaim(id);
    }

    if (outcome.holds<lease_lost>()) w.lost = true;
    if (w.lost) ++p_.tally.leases_lost;
    if (w.lost || w.settled) p_.in_flight.leave(w.tag);
    if (outcome.cancelled()) outcome.value();
    // What is left is a broker that cannot be relied upon. The consumer will hear of it, too, and end the service.
    if (!outcome && !w.lost) p_.log.error("request {}: {}", w.record.what.id, error_text(outcome.error()));
}

rondo::coro<> handler::work_under_lease(work& w) {
    co_await rondo::task_group::run([&](rondo::task_group& lease) -> rondo::coro<> {
        lease.create_task({.name = "extend"}, &handler::extend, this, std::ref(w));
        co_await restart_and_save(w);
        lease.cancel();
    });
}

rondo::coro<> handler::extend(work& w) {
    for (;;) {
        co_await rondo::sleep(p_.broker.lease().extend_every);
        const rondo::result<void> extended = co_await rondo::as_result(p_.broker.extend(w.tag));
        if (extended.holds<lease_lost>()) w.lost = true;
        extended.value();
    }
}

rondo::coro<> handler::restart_and_save(work& w) {
    if (const auto done = done_.find(w.record.what.id); done != done_.end()) {
        w.record = done->second;
        w.record.by = w.tag;
    } else if (w.tag.count > 1) {
        co_await save(w); // somebody was here before us, may have finished it, and must not go on from now
        if (!w.finished()) co_await restart_host(w);
    } else if (co_await claim(w); !w.finished()) {
        co_await rondo::task_group::run([&](rondo::task_group& both) -> rondo::coro<> {
            both.create_task({.name = "save"}, &handler::save, this, std::ref(w));
            both.create_task({.name = "restart"}, &handler::restart_host, this, std::ref(w));
            co_return;
        });
    }
    if (!w.saved) co_await save(w);
}

rondo::coro<> handler::restart_host(work& w) {
    restart_record done = w.record;
    try {
        const restart_report report = co_await p_.driver.restart(done.what.host);
        done.state = restart_state::restarted;
        done.instance_before = report.before;
        done.instance_after = report.after;
        p_.tally.restart_took.record(report.took);
    } catch (const restart_impossible& e) {
        done.state = restart_state::failed;
        done.detail = e.what();
    }
    done.finished_at = wall_now();
    if (done_.size() == most_remembered) done_.erase(done_.begin());
    done_.insert_or_assign(done.what.id, done);
    w.record = std::move(done);
}

rondo::coro<> handler::claim(work& w) { return ask_the_store(w, &store::claim); }

rondo::coro<> handler::save(work& w) {
    const bool finished = w.finished();
    co_await ask_the_store(w, &store::write);
    w.saved = w.saved || finished;
}

rondo::coro<> handler::ask_the_store(work& w, rondo::coro<write_answer> (store::*question)(restart_record)) {
    const restart_record row = w.record;
    for (std::chrono::nanoseconds pause = first_save_pause;; pause = std::min(2 * pause, longest_save_pause)) {
        rondo::result<write_answer> answer = co_await rondo::as_result((p_.store.*question)(row));
        if (answer || answer.cancelled()) {
            take_answer(w, std::move(answer).value());
            co_return;
        }
        ++p_.tally.saves_retried;
        saves_told_.warning("request {} is not written down yet: {}; again in {}", row.what.id,
                            error_text(answer.error()), format_duration(pause));
        co_await rondo::sleep(pause);
    }
}

void handler::take_answer(work& w, write_answer answer) {
    switch (answer.what) {
    case write_answer::kind::granted: break;
    case write_answer::kind::finished: // by another delivery: what it did counts
        w.record = std::move(*answer.row);
        w.saved = true;
        break;
    case write_answer::kind::fenced: w.lost = true; throw lease_lost("a later delivery is at work");
    }
}

rondo::coro<> handler::clean_up(work& w) {
    if (w.lost || !w.finished()) co_return;
    // Cancelled between the restart and its record: once more, for as long as the lease is sure to last.
    const lease_terms& lease = p_.broker.lease();
    if (!w.saved) co_await rondo::move_on_after(lease.extension - lease.extend_every, save(w));
    if (!w.saved) co_return;

    co_await p_.broker.acknowledge(w.tag);
    w.settled = true;
    done_.erase(w.record.what.id);
    ++(w.record.state == restart_state::restarted ? p_.tally.restarted : p_.tally.failed);
    if (w.record.by != w.tag) ++p_.tally.already_recorded;
    p_.tally.request_took.record(rondo::clock::now() - w.began);
    tell(w.record);
}

rondo::coro<> handler::after_failure(work& w, std::exception_ptr error) {
    if (w.lost) co_return;
    const std::string reason = error_text(error);
    const std::chrono::nanoseconds delay = retry_.delay_after(w.failures + 1);
    const fate then = co_await p_.broker.fail(w.tag, reason, delay);
    w.settled = true;
    if (then == fate::dead_lettered) {
        p_.log.warning("request {} for {} is a dead letter after {} attempts: {}", w.record.what.id, w.record.what.host,
                       w.failures + 1, reason);
        co_return;
    }
    ++p_.tally.retried;
    failures_told_.warning("attempt {} for {} failed: {}; again in {}", w.failures + 1, w.record.what.host, reason,
                           format_duration(delay));
}

rondo::coro<> handler::give_back_duplicate(work& w) {
    co_await p_.broker.give_back(w.tag, duplicate_delay);
    w.settled = true;
}

rondo::coro<> handler::bury(work& w, std::string reason) {
    co_await p_.broker.bury(w.tag, reason);
    w.settled = true;
    p_.log.warning("message {} is a dead letter: {}", w.tag.sequence, reason);
}

void handler::tell(const restart_record& done) {
    if (done.state == restart_state::failed) {
        failures_told_.warning("{} cannot be restarted: {}", done.what.host, done.detail);
    } else if (!done.instance_before.empty()) {
        restarts_told_.info("{} restarted: {} -> {} in {}", done.what.host, done.instance_before, done.instance_after,
                            format_duration(done.finished_at - done.started_at));
    }
}

} // namespace mayhem
