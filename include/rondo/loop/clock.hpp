// Time as the library counts it: the running loop's clock, delays that may be "none", and deadlines.
#pragma once

#include <rondo/coro/exceptions.hpp>

#include <chrono>
#include <optional>

namespace rondo {

using duration = std::chrono::nanoseconds;

/// The running loop's time; in a simulated world it is virtual. Its time points are steady_clock's, so both mix.
/// Outside a loop it is steady_clock itself.
struct clock {
    using duration = rondo::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;
    static constexpr bool is_steady = true;
    static time_point now() noexcept;
};
using time_point = clock::time_point;

/// The calendar of the running loop's world: system_clock, but in a simulated world, where it steps and drifts as the world says.
struct wall_clock {
    using duration = std::chrono::system_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::system_clock::time_point;
    static constexpr bool is_steady = false;
    static time_point now() noexcept;
};

/// asyncio's None where a timeout is asked for.
inline constexpr std::nullopt_t no_timeout = std::nullopt;

/// How long, at most: a duration of any unit (0.5s too), or no_timeout. What exceeds 292 years is the longest there is.
/// NaN throws value_error.
class delay {
public:
    template <class Rep, class Period> constexpr delay(std::chrono::duration<Rep, Period> d) : ns_(convert(d)) {}
    constexpr delay(std::nullopt_t) noexcept : ns_(duration::max()) {}

    constexpr bool is_none() const noexcept { return ns_ == duration::max(); }
    constexpr duration value() const noexcept { return ns_; }

private:
    template <class Rep, class Period> static constexpr duration convert(std::chrono::duration<Rep, Period> d) {
        constexpr duration longest = duration::max() - duration(1);
        if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
            if (d.count() != d.count()) throw value_error("a delay must be a number, and this one is NaN");
        }
        using wide = std::chrono::duration<long double, std::nano>;
        const wide ns = std::chrono::duration_cast<wide>(d);
        if (ns >= wide(longest)) return longest;
        if (ns <= wide(-longest)) return -longest;
        return std::chrono::duration_cast<duration>(d);
    }
    duration ns_;
};

/// A point in time, or never.
using deadline = std::optional<time_point>;

namespace detail {
/// now + d, never past the end of time; none for no_timeout.
deadline deadline_after(time_point now, delay d) noexcept;
} // namespace detail

} // namespace rondo
