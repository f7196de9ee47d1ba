// A service that restarts hosts on request, grown in nine steps.

#include "mayhem-steps/service.hpp"
#include "support/options.hpp"
#include "support/run.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

struct step {
    std::string_view name;
    rondo::coro<> (*run)(); // null: makes its own worlds
    bool real;              // waits for signals or threads, in real time
};
constexpr step steps[] = {
    {"sequential", mayhem::sequential, false},
    {"concurrent", mayhem::concurrent, false},
    {"extended", mayhem::extended, false},
    {"shut-down", mayhem::shut_down, true},
    {"handling-errors", mayhem::handling_errors, false},
    {"threaded", mayhem::threaded, true},
    {"tested", nullptr, true},
    {"debugged", mayhem::debugged, false},
    {"profiled", mayhem::profiled, true},
};

int run(const step& s, bool virtual_time) {
    std::printf("%.*s\n", static_cast<int>(s.name.size()), s.name.data());
    std::fflush(stdout);
    if (s.name == "shut-down") { // receives its signals itself
        rondo::run({.handle_sigint = false}, mayhem::timed, s.run);
        return 0;
    }
    if (s.run) return gallery::run(virtual_time && !s.real, [&] { return mayhem::timed(s.run); });
    mayhem::tested();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A service that restarts hosts on request, grown in nine steps.");
    const std::string only = options.text(
        "--step", "all",
        "sequential, concurrent, extended, shut-down, handling-errors, threaded, tested, debugged, profiled");
    const bool virtual_time = options.flag("--virtual-time", "do not really wait, where nothing real is waited for");
    options.done();

    if (only != "all" && std::ranges::none_of(steps, [&](const step& s) { return s.name == only; })) {
        std::fprintf(stderr, "gallery/mayhem-steps: there is no step '%s'; --help names them\n", only.c_str());
        return 2;
    }
    for (const step& s : steps)
        if (only == "all" || only == s.name)
            if (const int failed = run(s, virtual_time)) return failed;
    return 0;
}
