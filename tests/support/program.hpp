// A program of this build, run as a person would run it, with what it prints.
#pragma once

#include <rondo/io/stream_reader.hpp>
#include <rondo/io/subprocess.hpp>
#include <rondo/sync/condition.hpp>
#include <rondo/task/task.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rondo::test {

struct finished {
    int code = 0; // negative: the signal
    std::vector<std::string> out = {};
    std::vector<std::string> err = {};

    /// All of `out`, a line feed after each line.
    std::string text() const;
    /// The index of the first line of `out` from `from` on that has this text in it; out.size() when none has.
    std::size_t find(std::string_view text, std::size_t from = 0) const;
    bool printed(std::string_view text) const { return find(text) != out.size(); }
};

/// A process, whose output is collected as it comes. Inside a running loop.
class program {
public:
    using arguments = std::vector<std::string>;
    using environment = std::map<std::string, std::string>; // beside ours

    static coro<std::unique_ptr<program>> start(std::string path, arguments words, environment more = {});

    int pid() const noexcept { return process_.pid(); }
    void send_signal(int signal) { process_.send_signal(signal); }

    /// Until a line with this text is there, which it gives; throws when the program ends before.
    coro<std::string> until_printed(std::string text) { return until(&result_.out, std::move(text)); }
    coro<std::string> until_logged(std::string text) { return until(&result_.err, std::move(text)); }
    /// Until it has ended.
    coro<finished> finish();

private:
    explicit program(process p) : process_(std::move(p)) {}
    coro<> collect(stream_reader* from, std::vector<std::string>* into);
    coro<std::string> until(const std::vector<std::string>* lines, std::string text);

    process process_;
    finished result_;
    condition changed_;
    int ended_ = 0; // streams that are at their end
    std::vector<task<>> collecting_;
};

/// Starts it and waits for its end: for a plain test, outside of any loop. Its standard output is a pipe.
finished run_program(const std::string& path, program::arguments words = {}, program::environment more = {});
/// The same with a terminal as its standard output and input.
finished run_on_terminal(const std::string& path, const program::arguments& words = {});

} // namespace rondo::test
