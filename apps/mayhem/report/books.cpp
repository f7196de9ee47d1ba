#include "report/books.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace mayhem {

namespace {

// Microseconds are as exact as the histogram is.
double milliseconds(std::chrono::nanoseconds d) { return std::round(static_cast<double>(d.count()) / 1e3) / 1e3; }

nlohmann::ordered_json to_json(const host_status& h) {
    return {{"name", h.name}, {"first_pid", h.first_instance}, {"pid", h.instance}, {"restarts", h.restarts}};
}

// A payload that is not a request, not even text, is what may well have made a dead letter.
std::string printable(const std::string& payload) {
    return nlohmann::json(payload).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

nlohmann::ordered_json to_json(const message& m) {
    nlohmann::ordered_json history = nlohmann::ordered_json::array();
    for (const failed_delivery& f : m.history) {
        history.push_back({{"delivery", f.delivery}, {"at", f.at.time_since_epoch().count()}, {"reason", f.reason}});
    }
    const nlohmann::ordered_json payload = nlohmann::ordered_json::parse(m.payload, nullptr, false);
    return {{"sequence", m.sequence},
            {"deliveries", m.deliveries},
            {"request", payload.is_discarded() ? nlohmann::ordered_json(printable(m.payload)) : payload},
            {"history", history}};
}

template <class Items> nlohmann::ordered_json list_of(const Items& items) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& item : items) list.push_back(to_json(item));
    return list;
}

} // namespace

balance make_balance(const broker_statistics& b, const tally& t) {
    return {.requested = b.recovered + b.published,
            .restarted = t.restarted,
            .failed = t.failed,
            .dead_lettered = b.dead_lettered,
            .returned = b.pending};
}

nlohmann::ordered_json to_json(const books& b) {
    std::uint64_t pids_changed = 0;
    for (const host_status& h : b.hosts) pids_changed += h.instance != h.first_instance ? 1 : 0;
    return {
        {"requested", b.sums.requested},
        {"restarted", b.sums.restarted},
        {"failed", b.sums.failed},
        {"dead_lettered", b.sums.dead_lettered},
        {"returned", b.sums.returned},
        {"balanced", b.sums.holds()},
        {"recovered", b.broker.recovered},
        {"published", b.broker.published},
        {"redelivered", b.broker.redelivered},
        {"retried", b.counted.retried},
        {"already_recorded", b.counted.already_recorded},
        {"leases_lost", b.counted.leases_lost},
        {"saves_retried", b.counted.saves_retried},
        {"in_flight_max", b.counted.in_flight_max},
        {"loop_lag_p50_ms", milliseconds(b.loop_lag.quantile(0.50))},
        {"loop_lag_p99_ms", milliseconds(b.loop_lag.quantile(0.99))},
        {"loop_lag_max_ms", milliseconds(b.loop_lag.max())},
        {"restart_p50_ms", milliseconds(b.counted.restart_took.quantile(0.50))},
        {"restart_p99_ms", milliseconds(b.counted.restart_took.quantile(0.99))},
        {"request_p50_ms", milliseconds(b.counted.request_took.quantile(0.50))},
        {"request_p99_ms", milliseconds(b.counted.request_took.quantile(0.99))},
        {"seconds", std::round(std::chrono::duration<double>(b.ran_for).count() * 1e3) / 1e3},
        {"ended_by", b.ended_by},
        {"driver", b.driver},
        {"backend", b.backend},
        {"seed", b.seed},
        {"fleet_size", b.fleet_size},
        {"pids_changed", pids_changed},
        {"hosts", list_of(b.hosts)},
        {"dead_letters", list_of(b.dead_letters)},
    };
}

} // namespace mayhem
