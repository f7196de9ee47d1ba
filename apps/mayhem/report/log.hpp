// Log lines for people, written without holding up the loop.
#pragma once

#include "report/display.hpp"

#include <fmt/format.h>
#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace mayhem {

class log {
public:
    explicit log(display& to) : to_(to) {}

    template <class... Args> void info(fmt::format_string<Args...> text, Args&&... args) {
        write("info ", fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args> void warning(fmt::format_string<Args...> text, Args&&... args) {
        write("WARN ", fmt::format(text, std::forward<Args>(args)...));
    }
    template <class... Args> void error(fmt::format_string<Args...> text, Args&&... args) {
        write("ERROR", fmt::format(text, std::forward<Args>(args)...));
    }

private:
    void write(std::string_view level, std::string text);
    display& to_;
};

/// Lines of a kind that may come by the thousand: the first few of each second are written, the rest are counted and told
/// along with the next one that is written.
class sparse_log {
public:
    using time_source = std::function<std::chrono::steady_clock::time_point()>;

    sparse_log(log& to, unsigned per_second, time_source now = rondo::clock::now)
        : to_(to), per_second_(per_second), now_(std::move(now)) {}

    template <class... Args> void info(fmt::format_string<Args...> text, Args&&... args) {
        if (pass()) to_.info(text, std::forward<Args>(args)...);
    }
    template <class... Args> void warning(fmt::format_string<Args...> text, Args&&... args) {
        if (pass()) to_.warning(text, std::forward<Args>(args)...);
    }

private:
    bool pass();

    log& to_;
    unsigned per_second_;
    time_source now_;
    unsigned in_this_second_ = 0;
    std::uint64_t left_out_ = 0;
    std::chrono::steady_clock::time_point second_began_{};
};

} // namespace mayhem
