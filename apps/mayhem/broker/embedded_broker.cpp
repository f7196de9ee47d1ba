#include "broker/embedded_broker.hpp"

#include "base/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace mayhem {

namespace jr = journal_record;

embedded_broker::embedded_broker(const std::filesystem::path& path, journal_image image,
                                 embedded_broker_options options)
    : options_(options),
      ledger_(image.messages),
      journal_(path, image, options.journal, *options.disk),
      commit_(
          thread_,
          [this](std::vector<entry>& entries) {
              std::string bytes;
              for (const entry& e : entries) bytes += e.bytes;
              journal_.append(bytes);
          },
          [this](std::vector<entry>& entries) {
              for (const entry& e : entries) {
                  if (e.now_ready == 0) continue;
                  ++counted_.published;
                  make_ready(e.now_ready);
              }
          }) {
    recover();
}

void embedded_broker::recover() {
    counted_.recovered = ledger_.pending();
    std::vector<delivery_tag> interrupted;
    for (const auto& [sequence, m] : ledger_.messages()) {
        if (m.dead) dead_.insert(sequence);
        else if (m.out) interrupted.push_back({sequence, m.deliveries});
        else make_ready(sequence);
    }
    for (const delivery_tag d : interrupted) {
        count_failure(d, "the service stopped while it was at work on it");
        if (worn_out(d.sequence)) bury_now(d.sequence);
        else make_ready(d.sequence);
    }
}

rondo::coro<> embedded_broker::publish(std::vector<std::string> payloads) {
    while (ledger_.pending() >= options_.backlog_limit) {
        room_.clear();
        co_await room_.wait();
    }
    std::optional<commit::ticket> last;
    for (std::string& payload : payloads) {
        const std::uint64_t sequence = ledger_.next_sequence();
        last = write(jr::published{sequence, wall_now(), std::move(payload)}, sequence);
    }
    if (last) co_await last->durable();
}

rondo::coro<std::vector<delivery>> embedded_broker::pull(std::size_t at_most) {
    rondo::time_point now = rondo::clock::now();
    for (expire(now); ready_.empty(); expire(now)) {
        arrived_.clear();
        if (due_.empty()) co_await arrived_.wait();
        else co_await rondo::move_on_after(due_.begin()->first - now, arrived_.wait());
        now = rondo::clock::now();
    }

    std::vector<delivery> taken;
    std::optional<commit::ticket> last;
    while (taken.size() < at_most && !ready_.empty()) {
        const std::uint64_t sequence = *ready_.begin();
        last = write(jr::delivered{sequence, ledger_.find(sequence)->deliveries + 1});
        taken.push_back(lease_out(sequence, now + options_.lease.deadline));
    }

    // A delivery is on disk before anybody works on it: its count is a fence, and proof against a message that kills us.
    const rondo::result<void> durable = co_await rondo::as_result(last->durable());
    if (durable.cancelled()) {
        for (const delivery& d : taken) {
            end_lease(d.tag.sequence);
            write(jr::returned{d.tag.sequence});
            make_ready(d.tag.sequence);
        }
    }
    durable.value();
    for (const delivery& d : taken) counted_.redelivered += d.tag.count > 1 ? 1 : 0;
    co_return taken;
}

delivery embedded_broker::lease_out(std::uint64_t sequence, rondo::time_point deadline) {
    const message& m = *ledger_.find(sequence);
    ready_.erase(sequence);
    leases_.emplace(sequence, lease_entry{m.deliveries, deadline});
    due_.emplace(deadline, sequence);
    return {.tag = {sequence, m.deliveries},
            .failures = static_cast<std::uint32_t>(m.history.size()),
            .payload = m.payload};
}

rondo::coro<> embedded_broker::acknowledge(delivery_tag d) {
    held(d);
    end_lease(d.sequence);
    const commit::ticket settled = write(jr::acknowledged{d.sequence});
    ++counted_.acknowledged;
    room_.set();
    co_await settled.durable();
}

rondo::coro<> embedded_broker::extend(delivery_tag d) {
    lease_entry& lease = held(d);
    const rondo::time_point later = std::max(lease.deadline, rondo::clock::now() + options_.lease.extension);
    due_.erase({lease.deadline, d.sequence});
    due_.emplace(later, d.sequence);
    lease.deadline = later;
    co_return;
}

rondo::coro<fate> embedded_broker::fail(delivery_tag d, std::string reason, std::chrono::nanoseconds delay) {
    held(d);
    end_lease(d.sequence);
    commit::ticket last = count_failure(d, std::move(reason));
    const bool dead = worn_out(d.sequence);
    if (dead) last = bury_now(d.sequence);
    else make_ready_after(d.sequence, delay);
    co_await last.durable();
    co_return dead ? fate::dead_lettered : fate::redelivered;
}

rondo::coro<> embedded_broker::bury(delivery_tag d, std::string reason) {
    held(d);
    end_lease(d.sequence);
    count_failure(d, std::move(reason));
    co_await bury_now(d.sequence).durable();
}

rondo::coro<> embedded_broker::give_back(delivery_tag d, std::chrono::nanoseconds delay) {
    held(d);
    end_lease(d.sequence);
    const commit::ticket returned = write(jr::returned{d.sequence});
    make_ready_after(d.sequence, delay);
    co_await returned.durable();
}

std::vector<message> embedded_broker::dead_letters(std::size_t at_most) const {
    std::vector<message> newest;
    const std::size_t skipped = dead_.size() - std::min(dead_.size(), at_most);
    for (const std::uint64_t sequence : dead_ | std::views::drop(skipped)) newest.push_back(*ledger_.find(sequence));
    return newest;
}

broker_statistics embedded_broker::statistics() const {
    broker_statistics now = counted_;
    now.pending = ledger_.pending();
    now.out = leases_.size();
    return now;
}

rondo::coro<> embedded_broker::close() { co_await commit_.drain(); }

embedded_broker::commit::ticket embedded_broker::write(const record& r, std::uint64_t now_ready) {
    ledger_.apply(r);
    entry e{.bytes = {}, .now_ready = now_ready};
    append_record(e.bytes, r);
    return commit_.add(std::move(e));
}

void embedded_broker::expire(rondo::time_point now) {
    while (!due_.empty() && due_.begin()->first <= now) {
        const std::uint64_t sequence = due_.begin()->second;
        if (const auto lease = leases_.find(sequence); lease != leases_.end()) {
            ++counted_.leases_expired;
            count_failure({sequence, lease->second.delivery}, "its lease expired");
            end_lease(sequence);
        } else {
            due_.erase(due_.begin());
        }
        if (worn_out(sequence)) bury_now(sequence);
        else make_ready(sequence);
    }
}

embedded_broker::lease_entry& embedded_broker::held(delivery_tag d) {
    const auto lease = leases_.find(d.sequence);
    if (lease == leases_.end() || lease->second.delivery != d.count || lease->second.deadline <= rondo::clock::now()) {
        throw lease_lost(fmt::format("the lease of message {}, delivery {} is lost", d.sequence, d.count));
    }
    return lease->second;
}

void embedded_broker::end_lease(std::uint64_t sequence) {
    const auto lease = leases_.find(sequence);
    due_.erase({lease->second.deadline, sequence});
    leases_.erase(lease);
}

embedded_broker::commit::ticket embedded_broker::count_failure(delivery_tag d, std::string reason) {
    return write(jr::failed{d.sequence, {.delivery = d.count, .at = wall_now(), .reason = std::move(reason)}});
}

bool embedded_broker::worn_out(std::uint64_t sequence) const {
    return ledger_.find(sequence)->history.size() >= options_.attempts;
}

embedded_broker::commit::ticket embedded_broker::bury_now(std::uint64_t sequence) {
    commit::ticket buried = write(jr::buried{sequence});
    ++counted_.dead_lettered;
    dead_.insert(sequence);
    room_.set();
    if (dead_.size() > options_.dead_letter_limit) {
        write(jr::forgotten{*dead_.begin()});
        dead_.erase(dead_.begin());
    }
    return buried;
}

void embedded_broker::make_ready(std::uint64_t sequence) {
    ready_.insert(sequence);
    arrived_.set();
}

void embedded_broker::make_ready_after(std::uint64_t sequence, std::chrono::nanoseconds delay) {
    const auto [place, inserted] = due_.emplace(rondo::clock::now() + delay, sequence);
    if (place == due_.begin()) arrived_.set(); // who waits, waits for a later moment
}

} // namespace mayhem
