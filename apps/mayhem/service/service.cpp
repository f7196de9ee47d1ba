#include "service/service.hpp"

#include "base/duration_text.hpp"
#include "base/error_text.hpp"
#include "base/file.hpp"
#include "hosts/local_fleet.hpp"
#include "hosts/simulated_fleet.hpp"
#include "pipeline/consumer.hpp"
#include "pipeline/publisher.hpp"
#include "report/summary.hpp"

#include <nlohmann/json.hpp>

#include <random>
#include <utility>

namespace mayhem {

namespace {

using namespace std::chrono_literals;

constexpr rondo::duration redraw_every = 250ms;
constexpr rondo::duration plain_line_every = 5s;
constexpr std::size_t most_dead_letters_shown = 100;

std::uint64_t new_seed() { return std::random_device()(); }

std::vector<std::string> names_of_hosts(const settings& s) {
    const std::size_t digits = std::max<std::size_t>(2, std::to_string(s.fleet_size()).size());
    std::vector<std::string> names;
    for (std::size_t n = 1; n <= s.fleet_size(); ++n) names.push_back(fmt::format("web-{:0{}}", n, digits));
    return names;
}

std::unique_ptr<host_driver> make_driver(const settings& s, const std::string& program,
                                         const std::vector<std::string>& names, std::uint64_t seed) {
    if (s.driver == driver_kind::local) return std::make_unique<local_fleet>(program, names);
    return std::make_unique<simulated_fleet>(names, s.simulation, seed + 1); // not the publisher's sequence
}

std::string_view name_of(rondo::backend_kind kind) { return kind == rondo::backend_kind::uring ? "io_uring" : "epoll"; }

} // namespace

service::service(checked_input& input, display& out, log& to)
    : settings_(input.settings),
      input_(input),
      screen_(out),
      log_(to),
      seed_(settings_.seed ? *settings_.seed : new_seed()),
      host_names_(names_of_hosts(settings_)),
      lag_(input.real_time, settings_.lag_period),
      broker_(input.data.journal(), std::move(input.journal),
              {.lease = settings_.lease,
               .attempts = settings_.retry.attempts,
               .backlog_limit = settings_.backlog_limit,
               .disk = input.disk}),
      driver_(make_driver(settings_, input.program, host_names_, seed_)),
      handler_({.broker = broker_,
                .store = store_,
                .driver = *driver_,
                .in_flight = in_flight_,
                .tally = tally_,
                .log = log_},
               settings_.retry),
      began_(rondo::clock::now()) {}

rondo::coro<int> service::run() {
    co_await rondo::task_group::run([&](rondo::task_group& background) -> rondo::coro<> {
        background.create_task({.name = "signals"}, watch_signals, std::ref(end_));
        background.create_task({.name = "loop lag"}, &lag_monitor::run, &lag_);

        rondo::result<void> worked = co_await rondo::as_result(open());
        if (!worked) {
            log_.error("cannot start: {}", error_text(worked.error()));
            end_.fail("a failed start");
        } else {
            background.create_task({.name = "summary"}, &service::show_summary, this);
            if (settings_.run_for) {
                background.create_task({.name = "timer"}, &service::end_after, this, *settings_.run_for);
            }
            worked = co_await rondo::as_result(work());
            if (!worked) {
                log_.error("{}", error_text(worked.error()));
                end_.fail("an unexpected error");
            }
        }
        last_hosts_ = driver_->hosts();
        co_await shutdown_.give_back(in_flight_, broker_);
        co_await shutdown_.close(*driver_, broker_, store_);
        background.cancel();
    });
    const books last = last_books();
    shutdown_.flush([&] {
        if (settings_.json) replace_file(*settings_.json, to_json(last).dump(2) + "\n", *input_.disk);
    });
    screen_.redraw({});
    for (std::string& line : final_account(last)) screen_.summary_line(std::move(line));
    co_return end_.failed() || shutdown_.failed() || !last.sums.holds() ? 1 : 0;
}

rondo::coro<> service::open() {
    log_.info("mayhem " MAYHEM_VERSION ": {} {} hosts, {} requests a second, data in {}, seed {}",
              settings_.fleet_size(), to_string(settings_.driver), settings_.rate, settings_.data.string(), seed_);
    if (const std::uint64_t left = broker_.statistics().recovered; left > 0)
        log_.info("{} requests were left by an earlier run", left);
    co_await store_.open(input_.data.database(), input_.disk->sqlite_vfs());
    co_await driver_->start();
    log_.info("the fleet is up after {}", format_duration(rondo::clock::now() - began_));
    began_ = rondo::clock::now();
}

rondo::coro<> service::work() {
    consumer pull(broker_, handler_, in_flight_, settings_.in_flight_limit);
    publisher publish(broker_, host_names_, settings_.rate, seed_, input_.next_id ? input_.next_id : unique_ids());
    co_await rondo::task_group::run([&](rondo::task_group& handlers) -> rondo::coro<> {
        rondo::task<> pulling = rondo::create_task({.name = "consume"}, &consumer::run, &pull, std::ref(handlers));
        rondo::task<> publishing = rondo::create_task({.name = "publish"}, &publisher::run, &publish);
        end_when_it_fails(pulling, "consume");
        end_when_it_fails(publishing, "publish");
        co_await rondo::finally(
            [&]() -> rondo::coro<> {
                co_await end_.begun();
                co_await shutdown_.stop_work(pulling, publishing, handlers, in_flight_, settings_.grace);
            },
            [&]() -> rondo::coro<> { // whoever ends this: they use what lives here
                pulling.cancel();
                publishing.cancel();
                co_await rondo::wait({pulling, publishing});
            });
    });
}

rondo::coro<> service::end_after(std::chrono::nanoseconds d) {
    co_await rondo::sleep(d);
    end_.begin("--for " + format_duration(d));
}

void service::end_when_it_fails(rondo::task<> part, std::string name) {
    part.add_done_callback([this, name = std::move(name)](const rondo::task<>& t) {
        if (t.cancelled() || !t.exception()) return;
        log_.error("{} failed: {}", name, error_text(t.exception()));
        end_.fail("a failure of " + name);
    });
}

rondo::coro<> service::show_summary() {
    for (;;) {
        co_await rondo::sleep(screen_.live() ? redraw_every : plain_line_every);
        const moment m{.runs_for = settings_.run_for, .in_flight = in_flight_.size(), .phase = shutdown_.phase()};
        if (screen_.live()) screen_.redraw(live_block(books_now(), m));
        else screen_.summary_line(plain_line(books_now(), m));
    }
}

books service::books_now() const {
    books b{.counted = tally_,
            .broker = broker_.statistics(),
            .loop_lag = lag_.lag(),
            .ran_for = rondo::clock::now() - began_,
            .ended_by = end_.why(),
            .driver = to_string(settings_.driver),
            .backend = std::string(name_of(rondo::running_loop().backend())),
            .seed = seed_,
            .fleet_size = settings_.fleet_size(),
            .hosts = last_hosts_.empty() ? driver_->hosts() : last_hosts_};
    b.counted.in_flight_max = in_flight_.most();
    b.sums = make_balance(b.broker, b.counted);
    return b;
}

books service::last_books() const {
    books last = books_now();
    last.dead_letters = broker_.dead_letters(most_dead_letters_shown);
    return last;
}

} // namespace mayhem
