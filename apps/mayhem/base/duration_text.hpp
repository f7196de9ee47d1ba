// Durations as people write and read them: "500ms", "20s", "2m", "1.5h".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace mayhem {

/// A number and a unit (us, ms, s, m, h), no sign. Throws bad_input that repeats the text and says what is wrong with it.
std::chrono::nanoseconds parse_duration(std::string_view text);

/// Three significant places at most, in the unit that fits: "38 ms", "1.25 s", "2 m 5 s".
std::string format_duration(std::chrono::nanoseconds d);

} // namespace mayhem
