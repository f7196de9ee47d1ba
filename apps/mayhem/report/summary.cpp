#include "report/summary.hpp"

#include "base/duration_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mayhem {

namespace {

constexpr std::size_t most_hosts_shown = 16;

std::string seconds(std::chrono::nanoseconds d) {
    return fmt::format("{:.1f} s", std::chrono::duration<double>(d).count());
}

double per_second(std::uint64_t n, std::chrono::nanoseconds d) {
    const double s = std::chrono::duration<double>(d).count();
    return s > 0 ? static_cast<double>(n) / s : 0;
}

std::string times(const histogram& h) {
    if (h.count() == 0) return "-";
    return fmt::format("p50 {}, p99 {}, max {}", format_duration(h.quantile(0.50)), format_duration(h.quantile(0.99)),
                       format_duration(h.max()));
}

std::string outcome(const books& b) {
    return fmt::format("{} restarted, {} failed, {} dead-lettered", b.sums.restarted, b.sums.failed,
                       b.sums.dead_lettered);
}

std::string host_line(const host_status& h) {
    return fmt::format("  {:<10} {:<10} restarted {} time{}", h.name,
                       h.instance.empty() ? "(down)" : "pid " + h.instance, h.restarts, h.restarts == 1 ? "" : "s");
}

} // namespace

std::vector<std::string> live_block(const books& b, const moment& m) {
    const std::uint64_t settled = b.sums.restarted + b.sums.failed + b.sums.dead_lettered;
    const std::size_t waiting = b.broker.pending - std::min(b.broker.pending, m.in_flight);
    std::vector<std::string> lines = {
        "",
        fmt::format("mayhem   {}{}, {} {} hosts, {} backend{}", seconds(b.ran_for),
                    m.runs_for ? " of " + seconds(*m.runs_for) : "", b.fleet_size, b.driver, b.backend,
                    m.phase.empty() ? "" : "   [" + m.phase + "]"),
        fmt::format("requests {} ({:.1f} a second), {} in flight, {} waiting, {} redelivered", b.sums.requested,
                    per_second(b.sums.requested, b.ran_for), m.in_flight, waiting, b.broker.redelivered),
        fmt::format("outcome  {}, {} retried ({:.1f} a second)", outcome(b), b.counted.retried,
                    per_second(settled, b.ran_for)),
        fmt::format("restart  {}", times(b.counted.restart_took)),
        fmt::format("loop lag {}", times(b.loop_lag)),
    };
    for (const host_status& h : b.hosts) {
        if (lines.size() == 6 + most_hosts_shown) {
            lines.push_back(fmt::format("  and {} more", b.hosts.size() - most_hosts_shown));
            break;
        }
        lines.push_back(host_line(h));
    }
    return lines;
}

std::string plain_line(const books& b, const moment& m) {
    return fmt::format("{}: {} requested, {}, {} in flight, {} retried, loop lag p99 {}{}", seconds(b.ran_for),
                       b.sums.requested, outcome(b), m.in_flight, b.counted.retried,
                       format_duration(b.loop_lag.quantile(0.99)), m.phase.empty() ? "" : " [" + m.phase + "]");
}

std::vector<std::string> final_account(const books& b) {
    std::vector<std::string> lines = {
        "",
        fmt::format("mayhem ran for {} and was ended by {}", seconds(b.ran_for), b.ended_by),
        fmt::format("  requested      {:>9}   {} published, {} left by an earlier run", b.sums.requested,
                    b.broker.published, b.broker.recovered),
        fmt::format("  = restarted    {:>9}   {}", b.sums.restarted, times(b.counted.restart_took)),
        fmt::format("  + failed       {:>9}   cannot be restarted at all", b.sums.failed),
        fmt::format("  + dead letters {:>9}   failed too often", b.sums.dead_lettered),
        fmt::format("  + returned     {:>9}   left for the next run", b.sums.returned),
        b.sums.holds() ? "  the books balance" : "  THE BOOKS DO NOT BALANCE",
        fmt::format("  {} retried, {} redelivered, {} in flight at most", b.counted.retried, b.broker.redelivered,
                    b.counted.in_flight_max),
        fmt::format("  loop lag {}", times(b.loop_lag)),
    };
    for (const host_status& h : b.hosts) {
        lines.push_back(fmt::format("  {:<10} pid {} -> {}, restarted {} time{}", h.name, h.first_instance, h.instance,
                                    h.restarts, h.restarts == 1 ? "" : "s"));
        if (&h - b.hosts.data() + 1 == static_cast<std::ptrdiff_t>(most_hosts_shown) &&
            b.hosts.size() > most_hosts_shown) {
            lines.push_back(fmt::format("  and {} more hosts", b.hosts.size() - most_hosts_shown));
            break;
        }
    }
    return lines;
}

} // namespace mayhem
