// The real binary, run as a person or a service manager runs it.
#pragma once

#include <rondo/rondo.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mayhem::test {

struct finished {
    int code = 0; // negative: the signal
    std::vector<std::string> out = {};
    std::vector<std::string> err = {};
};

class program {
public:
    using environment = std::map<std::string, std::string>; // beside ours

    /// The binary itself.
    static const std::string path;

    /// bin/mayhem with these arguments; its output is collected as it comes.
    static rondo::coro<std::unique_ptr<program>> start(std::vector<std::string> arguments, environment more = {});
    /// start() and finish().
    static rondo::coro<finished> run(std::vector<std::string> arguments, environment more = {});

    int pid() const noexcept { return process_.pid(); }
    void send_signal(int signal) { process_.send_signal(signal); }

    /// Until standard error has a line with this text in it; throws when the program ends before.
    rondo::coro<> until_logged(std::string text);
    rondo::coro<finished> finish();

private:
    explicit program(rondo::process p) : process_(std::move(p)) {}
    rondo::coro<> collect(rondo::stream_reader* from, std::vector<std::string>* into);

    rondo::process process_;
    finished result_;
    rondo::condition changed_;
    int ended_ = 0; // streams that are at their end
    std::vector<rondo::task<>> collecting_;
};

/// The processes whose parent this is and that are not just waiting to be reaped.
std::vector<int> children_of(int pid);
bool is_alive(int pid);
/// How long its main thread was ready to run and had no processor.
std::chrono::nanoseconds waited_for_a_processor(int pid);

} // namespace mayhem::test
