#include "base/duration_text.hpp"

#include "base/errors.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace mayhem {

using std::chrono::nanoseconds;

nanoseconds parse_duration(std::string_view text) {
    double number = 0;
    const auto [rest, failed] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (failed != std::errc() || !std::isfinite(number) || number < 0) {
        throw bad_input(fmt::format("'{}' is not a duration (examples: 500ms, 20s, 2m)", text));
    }

    static constexpr std::array<std::pair<std::string_view, double>, 5> units = {
        {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
    const std::string_view unit = text.substr(static_cast<std::size_t>(rest - text.data()));
    for (const auto& [name, ns] : units) {
        if (unit != name) continue;
        static constexpr double hundred_years = 100 * 365.25 * 24 * 3600e9; // nanoseconds in 64 bits hold 292 years
        if (number * ns > hundred_years) throw bad_input(fmt::format("'{}' is longer than a hundred years", text));
        return nanoseconds(std::llround(number * ns));
    }
    if (unit.empty()) throw bad_input(fmt::format("'{}' has no unit (us, ms, s, m or h)", text));
    throw bad_input(fmt::format("'{}' has an unknown unit (known: us, ms, s, m, h)", text));
}

std::string format_duration(nanoseconds d) {
    const double ns = static_cast<double>(d.count());
    if (ns < 1e3) return fmt::format("{} ns", d.count());
    if (ns < 1e6) return fmt::format("{:.3g} us", ns / 1e3);
    if (ns < 999.5e6) return fmt::format("{:.3g} ms", ns / 1e6);
    if (ns < 60e9) return fmt::format("{:.3g} s", ns / 1e9);
    const auto seconds = std::chrono::round<std::chrono::seconds>(d).count();
    if (seconds < 3600)
        return seconds % 60 == 0 ? fmt::format("{} m", seconds / 60)
                                 : fmt::format("{} m {} s", seconds / 60, seconds % 60);
    return fmt::format("{} h {} m", seconds / 3600, seconds / 60 % 60);
}

} // namespace mayhem
