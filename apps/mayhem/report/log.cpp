#include "report/log.hpp"

#include "broker/request.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <utility>

namespace mayhem {

void log::write(std::string_view level, std::string text) {
    // One line is one event, whatever an error message contains.
    std::replace(text.begin(), text.end(), '\n', ' ');
    const wall_time now = wall_now();
    const auto ms = now.time_since_epoch().count() % 1000;
    to_.log_line(
        fmt::format("{:%FT%T}.{:03}Z {} {}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms, level, text));
}

bool sparse_log::pass() {
    const auto now = now_();
    if (now - second_began_ >= std::chrono::seconds(1)) {
        second_began_ = now;
        in_this_second_ = 0;
    }
    if (in_this_second_ == per_second_) {
        ++left_out_;
        return false;
    }
    ++in_this_second_;
    if (left_out_ > 0) to_.info("({} more like the last ones)", std::exchange(left_out_, 0));
    return true;
}

} // namespace mayhem
