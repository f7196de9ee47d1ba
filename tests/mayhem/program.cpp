#include "program.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace mayhem::test {

namespace {

struct process_line {
    char state = '?';
    int parent = 0;
};

// /proc/PID/stat: pid (name) state parent ...; the name may contain anything, so from the last parenthesis on.
std::optional<process_line> stat_of(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::stringstream text;
    text << file.rdbuf();
    const std::string all = text.str();
    const std::size_t name_end = all.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    process_line line;
    std::istringstream(all.substr(name_end + 1)) >> line.state >> line.parent;
    return line;
}

} // namespace

const std::string program::path = MAYHEM_PROGRAM;

rondo::coro<std::unique_ptr<rondo::test::program>> program::start(std::vector<std::string> arguments,
                                                                  environment more) {
    return rondo::test::program::start(path, std::move(arguments), std::move(more));
}

rondo::coro<finished> program::run(std::vector<std::string> arguments, environment more) {
    auto p = co_await start(std::move(arguments), std::move(more));
    co_return co_await p->finish();
}

std::vector<int> children_of(int pid) {
    std::vector<int> children;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const auto line = stat_of(std::stoi(name));
        if (line && line->parent == pid && line->state != 'Z') children.push_back(std::stoi(name));
    }
    return children;
}

// /proc/PID/schedstat: time on a processor, time in a run queue (ns), time slices.
std::chrono::nanoseconds waited_for_a_processor(int pid) {
    std::int64_t ran = 0;
    std::int64_t waited = 0;
    std::ifstream("/proc/" + std::to_string(pid) + "/schedstat") >> ran >> waited;
    return std::chrono::nanoseconds(waited);
}

bool is_alive(int pid) {
    const auto line = stat_of(pid);
    return line && line->state != 'Z';
}

} // namespace mayhem::test
