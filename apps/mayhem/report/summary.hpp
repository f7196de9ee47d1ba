// The run as a person sees it: the live block, the plain line, and the account at the end. Pure text from figures.
#pragma once

#include "report/books.hpp"

#include <optional>
#include <string>
#include <vector>

namespace mayhem {

/// What the summary shows besides the books.
struct moment {
    std::optional<std::chrono::nanoseconds> runs_for = {}; // what --for said
    std::size_t in_flight = 0;
    std::string phase = {}; // empty while it simply runs; the step of the shutdown
};

std::vector<std::string> live_block(const books& b, const moment& m);
std::string plain_line(const books& b, const moment& m);
std::vector<std::string> final_account(const books& b);

} // namespace mayhem
