// The real binary, run as a person or a service manager runs it.
#pragma once

#include "support/program.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace mayhem::test {

using rondo::test::finished;

/// bin/mayhem with some arguments; its output is collected as it comes.
struct program {
    using environment = rondo::test::program::environment; // beside ours

    /// The binary itself.
    static const std::string path;

    static rondo::coro<std::unique_ptr<rondo::test::program>> start(std::vector<std::string> arguments,
                                                                    environment more = {});
    /// start() and finish().
    static rondo::coro<finished> run(std::vector<std::string> arguments, environment more = {});
};

/// The processes whose parent this is and that are not just waiting to be reaped.
std::vector<int> children_of(int pid);
bool is_alive(int pid);
/// How long its main thread was ready to run and had no processor.
std::chrono::nanoseconds waited_for_a_processor(int pid);

} // namespace mayhem::test
