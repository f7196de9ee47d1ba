#include "program.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <unistd.h>

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

rondo::coro<std::unique_ptr<program>> program::start(std::vector<std::string> arguments, environment more) {
    for (char** variable = environ; *variable; ++variable) {
        const std::string_view text = *variable;
        const std::size_t end_of_name = text.find('=');
        more.emplace(text.substr(0, end_of_name), text.substr(end_of_name + 1));
    }
    arguments.insert(arguments.begin(), path);
    rondo::process started = co_await rondo::create_subprocess_exec(
        std::move(arguments),
        {.in = rondo::stdio::devnull, .out = rondo::stdio::pipe, .err = rondo::stdio::pipe, .env = std::move(more)});
    std::unique_ptr<program> p(new program(std::move(started)));
    p->collecting_.push_back(rondo::create_task(p->collect(&*p->process_.out, &p->result_.out)));
    p->collecting_.push_back(rondo::create_task(p->collect(&*p->process_.err, &p->result_.err)));
    co_return p;
}

rondo::coro<finished> program::run(std::vector<std::string> arguments, environment more) {
    auto p = co_await start(std::move(arguments), std::move(more));
    co_return co_await p->finish();
}

rondo::coro<> program::collect(rondo::stream_reader* from, std::vector<std::string>* into) {
    while (auto line = co_await from->read_line()) {
        std::string text = line->str();
        if (text.ends_with('\n')) text.pop_back();
        const auto hold = co_await changed_.scoped_lock();
        into->push_back(std::move(text));
        changed_.notify_all();
    }
    const auto hold = co_await changed_.scoped_lock();
    ++ended_;
    changed_.notify_all();
}

rondo::coro<> program::until_logged(std::string text) {
    const auto hold = co_await changed_.scoped_lock();
    const auto is_there = [&] {
        return std::any_of(result_.err.begin(), result_.err.end(),
                           [&](const std::string& l) { return l.find(text) != std::string::npos; });
    };
    co_await changed_.wait_for([&] { return is_there() || ended_ == 2; });
    if (!is_there()) throw std::runtime_error("the program ended without logging '" + text + "'");
}

rondo::coro<finished> program::finish() {
    for (rondo::task<>& t : collecting_) co_await t;
    result_.code = co_await process_.wait();
    co_return result_;
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
