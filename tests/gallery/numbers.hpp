// Numbers in what a program prints.
#pragma once

#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::test {

/// The numbers of a line, in their order.
inline std::vector<double> numbers_in(const std::string& line) {
    std::vector<double> found;
    for (std::size_t i = 0; i < line.size();) {
        if (std::isdigit(static_cast<unsigned char>(line[i]))) {
            std::size_t used = 0;
            found.push_back(std::stod(line.substr(i), &used));
            i += used;
        } else {
            ++i;
        }
    }
    return found;
}

/// The numbers behind this text, in the first line that has it.
inline std::vector<double> numbers_after(const finished& run, std::string_view text) {
    const std::size_t line = run.find(text);
    if (line == run.out.size()) {
        ADD_FAILURE() << "'" << text << "' was not printed:\n" << run.text();
        return std::vector<double>(9);
    }
    std::vector<double> found = numbers_in(run.out[line].substr(run.out[line].find(text) + text.size()));
    found.resize(9); // a test that looks for what is not there finds 0
    return found;
}

} // namespace gallery::test
