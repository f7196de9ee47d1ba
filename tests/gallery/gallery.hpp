// The gallery's programs, as tests run them.
#pragma once

#include "support/program.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::test {

using rondo::test::finished;
using rondo::test::program;

/// bin/gallery-NAME of this build.
std::string path_of(std::string_view name);
/// All programs of the gallery.
std::vector<std::string> names();
/// The folder gallery/.
std::filesystem::path sources();

inline finished run(std::string_view name, program::arguments words = {}) {
    return rondo::test::run_program(path_of(name), std::move(words));
}
inline finished run_on_terminal(std::string_view name, const program::arguments& words = {}) {
    return rondo::test::run_on_terminal(path_of(name), words);
}
/// Inside a coroutine: a server, or whatever is talked to while it runs.
inline rondo::coro<std::unique_ptr<program>> start(std::string_view name, program::arguments words = {}) {
    return program::start(path_of(name), std::move(words));
}

} // namespace gallery::test
