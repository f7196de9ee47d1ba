#include "pipeline/publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mayhem {

namespace {

using namespace std::chrono_literals;

// Requests that become due within a tick are published together.
constexpr std::chrono::nanoseconds tick = 2ms;
// Batches that the broker has not confirmed yet. A broker that is this far behind has to be waited for.
constexpr std::ptrdiff_t most_unconfirmed = 64;

rondo::coro<> publish(broker* to, std::vector<std::string> payloads, rondo::guard<rondo::semaphore>) {
    co_await to->publish(std::move(payloads));
}

} // namespace

publisher::publisher(broker& to, std::vector<std::string> hosts, double per_second, std::uint64_t seed,
                     id_source next_id)
    : to_(to), hosts_(std::move(hosts)), per_second_(per_second), random_(seed), next_id_(std::move(next_id)) {}

rondo::coro<> publisher::run() {
    if (per_second_ <= 0) co_return;
    const std::chrono::duration<double> gap(1 / per_second_);
    rondo::semaphore unconfirmed(most_unconfirmed);
    co_await rondo::task_group::run([&](rondo::task_group& publishing) -> rondo::coro<> {
        rondo::time_point start = rondo::clock::now();
        for (std::uint64_t made = 0;;) {
            const auto due_at = start + std::chrono::ceil<rondo::duration>(gap * static_cast<double>(made + 1));
            co_await rondo::sleep_until(std::max(due_at, rondo::clock::now() + (gap < tick ? tick : 0ns)));

            auto slot = co_await unconfirmed.scoped_acquire();
            const std::chrono::duration<double> elapsed = rondo::clock::now() - start;
            const auto due = static_cast<std::uint64_t>(elapsed.count() * per_second_);
            const std::uint64_t count = due - std::min(due, made);
            if (count > static_cast<std::uint64_t>(std::max(1.0, per_second_))) {
                start = rondo::clock::now();
                made = 0;
                continue;
            }
            if (count == 0) continue;
            made += count;
            publishing.start_soon(publish, &to_, make(count), std::move(slot));
        }
    });
}

std::vector<std::string> publisher::make(std::uint64_t count) {
    std::uniform_int_distribution<std::size_t> any(0, hosts_.size() - 1);
    std::vector<std::string> payloads;
    payloads.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        payloads.push_back(encode({.id = next_id_(), .host = hosts_[any(random_)], .requested_at = wall_now()}));
    }
    return payloads;
}

publisher::id_source unique_ids() {
    std::random_device entropy;
    const std::uint64_t run = (std::uint64_t{entropy()} << 32 | entropy()) & 0xFFFF'FFFF'FFFFu; // 48 bits
    return [prefix = fmt::format("{:012x}", run), n = std::uint64_t{0}]() mutable {
        return fmt::format("{}-{:06}", prefix, ++n);
    };
}

} // namespace mayhem
