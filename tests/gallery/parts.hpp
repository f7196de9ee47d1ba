// The parts of what a program prints.
#pragma once

#include "gallery/gallery.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::test {

using lines = std::vector<std::string>;

/// The lines behind the one with `title`, up to an empty one.
inline lines part(const finished& run, std::string_view title) {
    lines found;
    for (std::size_t i = run.find(title) + 1; i < run.out.size() && !run.out[i].empty(); ++i)
        found.push_back(run.out[i]);
    return found;
}
/// Those of them that are indented, up to one that is not, without their indentation.
inline lines indented_part(const finished& run, std::string_view title) {
    lines found;
    for (const std::string& line : part(run, title)) {
        if (!line.starts_with("  ")) break;
        found.push_back(line.substr(2));
    }
    return found;
}

} // namespace gallery::test
