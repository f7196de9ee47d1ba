// The choice tape: every decision of a run, in order.
//
// Choice 0 is always the benign one. So a run is told by its seed and by where it deviates from 0, a failure is shrunk by
// putting zeros back, and a strategy that knows nothing of the program cannot make it fail by itself.
#pragma once

#include <rondo/sim/failure.hpp>
#include <rondo/sim/label.hpp>
#include <rondo/sim/options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rondo::sim::detail {

/// splitmix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit of x.
constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

class random_stream {
public:
    explicit random_stream(std::uint64_t seed) noexcept : state_(mixed(seed)) {}
    std::uint64_t next() noexcept { return mixed(state_ += 0x9e3779b97f4a7c15); }
    std::uint64_t below(std::uint64_t n) noexcept { return next() % n; }

private:
    std::uint64_t state_;
};

struct choice {
    label what;
    std::uint32_t of;
    std::uint32_t taken;
};
struct forced_choice {
    std::size_t step;
    std::uint32_t taken;
    friend bool operator==(const forced_choice&, const forced_choice&) = default;
};

/// How one run is to be made. With kind fifo: 0 but for what is forced, which is in the order of its steps.
struct plan {
    std::uint64_t seed = 1;
    sim::strategy how = strategy::fifo();
    std::vector<forced_choice> forced = {};
    std::span<const std::uint8_t> bytes = {}; // they answer, in order; the caller's
    std::size_t horizon = 100;                // about how many choices a run has, for pct
};

class tape {
public:
    /// Forgets what was. Memory is kept for the next run.
    void begin(const plan& p);

    /// 0 to n - 1; n of 0 or 1 is no choice and is not recorded.
    std::uint32_t choose(std::uint32_t n, label what) { return n > 1 ? record(n, decide(n, what), what) : 0; }
    /// Which of several comes first. Keys tell who is who: the same one has the same key in every choice of the run.
    std::uint32_t choose_order(std::span<const std::uint64_t> keys, label what);

    const std::vector<choice>& made() const noexcept { return made_; }
    std::vector<deviation> deviations() const;

    /// Something happened that must happen again when the run is made again.
    void trace(std::uint64_t what) noexcept { hash_ = mixed(hash_ ^ what); }
    std::uint64_t hash() const noexcept { return hash_; }

private:
    std::uint32_t decide(std::uint32_t n, label what);
    std::uint32_t forced_now() noexcept;
    std::uint32_t byte_now(std::uint32_t n) noexcept;
    std::uint32_t some_other(std::uint32_t n) noexcept;
    std::uint64_t rate_of(label what) const noexcept;
    bool changes_here() noexcept;
    std::uint32_t record(std::uint32_t n, std::uint32_t taken, label what);

    plan plan_;
    std::vector<choice> made_;
    std::vector<std::size_t> change_points_; // pct: sorted
    std::size_t next_forced_ = 0;
    std::size_t next_change_ = 0;
    std::vector<std::uint64_t> demoted_; // pct: keys that come last from now on
    random_stream random_{1};
    std::uint64_t hash_ = 0;
};

} // namespace rondo::sim::detail
