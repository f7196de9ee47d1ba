// A place in a source file, for people.
#pragma once

#include <source_location>
#include <string>

namespace rondo::detail {

/// "main.cpp:12"
inline std::string text_of_place(const std::source_location& where) {
    return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

} // namespace rondo::detail
