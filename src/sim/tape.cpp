#include "sim/tape.hpp"

#include <algorithm>
#include <limits>

namespace rondo::sim::detail {

void tape::begin(const plan& p) {
    plan_ = p;
    made_.clear();
    change_points_.clear();
    demoted_.clear();
    next_forced_ = next_change_ = 0;
    random_ = random_stream(p.seed);
    hash_ = mixed(p.seed);
    if (p.how.which() != strategy::kind::pct) return;
    for (unsigned i = 0; i < p.how.depth(); ++i)
        change_points_.push_back(random_.below(std::max<std::size_t>(p.horizon, 1)));
    std::ranges::sort(change_points_);
}

std::uint32_t tape::record(std::uint32_t n, std::uint32_t taken, label what) {
    made_.push_back({what, n, taken});
    trace(what.hash() ^ (std::uint64_t{n} << 32 | taken));
    return taken;
}

std::uint32_t tape::decide(std::uint32_t n, label what) {
    switch (plan_.how.which()) {
    case strategy::kind::random: return random_.below(64) < rate_of(what) ? some_other(n) : 0;
    case strategy::kind::pct: return changes_here() ? some_other(n) : 0;
    case strategy::kind::fifo:
    case strategy::kind::exhaustive:
    case strategy::kind::portfolio: break;
    }
    if (!plan_.bytes.empty()) return byte_now(n);
    return std::min(forced_now(), n - 1); // a shrunk tape may meet a choice with fewer alternatives
}

std::uint32_t tape::byte_now(std::uint32_t n) noexcept {
    return made_.size() < plan_.bytes.size() ? plan_.bytes[made_.size()] % n : 0;
}

std::uint32_t tape::forced_now() noexcept {
    const std::vector<forced_choice>& forced = plan_.forced;
    while (next_forced_ < forced.size() && forced[next_forced_].step < made_.size()) ++next_forced_;
    const bool here = next_forced_ < forced.size() && forced[next_forced_].step == made_.size();
    return here ? forced[next_forced_].taken : 0;
}

/// Of 64. Each run leaves some kinds of trouble out altogether, and has others in plenty: what only happens when one fault
/// comes often, or another one never, is found too (swarm testing: Groce et al., ISSTA 2012).
std::uint64_t tape::rate_of(label what) const noexcept {
    constexpr std::array<std::uint64_t, 6> rates{0, 1, 2, 6, 16, 32};
    return rates[mixed(plan_.seed ^ what.hash()) % rates.size()];
}

/// One byte, and all but one, are where errors are.
std::uint32_t tape::some_other(std::uint32_t n) noexcept {
    switch (random_.below(4)) {
    case 0: return 1;
    case 1: return n - 1;
    default: return 1 + static_cast<std::uint32_t>(random_.below(n - 1));
    }
}

bool tape::changes_here() noexcept {
    bool here = false;
    for (; next_change_ < change_points_.size() && change_points_[next_change_] <= made_.size(); ++next_change_)
        here = here || change_points_[next_change_] == made_.size();
    return here;
}

std::uint32_t tape::choose_order(std::span<const std::uint64_t> keys, label what) {
    const auto n = static_cast<std::uint32_t>(keys.size());
    if (n < 2) return 0;
    if (plan_.how.which() != strategy::kind::pct) return record(n, decide(n, what), what);
    const auto priority = [&](std::uint64_t key) -> std::uint64_t {
        const auto at = std::ranges::find(demoted_, key);
        if (at != demoted_.end()) return static_cast<std::uint64_t>(demoted_.end() - at); // the latest is the last
        return std::max(mixed(plan_.seed ^ key), std::numeric_limits<std::uint64_t>::max() >> 32);
    };
    const auto first = [&] {
        return static_cast<std::uint32_t>(std::ranges::max_element(keys, {}, priority) - keys.begin());
    };
    std::uint32_t taken = first();
    if (changes_here()) {
        demoted_.push_back(keys[taken]);
        taken = first();
    }
    return record(n, taken, what);
}

std::vector<deviation> tape::deviations() const {
    std::vector<deviation> all;
    for (std::size_t step = 0; step < made_.size(); ++step) {
        if (made_[step].taken != 0) all.push_back({step, made_[step].taken, made_[step].of, made_[step].what});
    }
    return all;
}

} // namespace rondo::sim::detail
