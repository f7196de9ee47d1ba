// How many instructions a call executes: a cost as a number, on any machine, whatever else it does meanwhile.
#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <csignal>
#include <cstdint>
#include <optional>
#include <utility>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rondo::test {

/// Counted in a forked child that is stepped through its instructions; what the call changes is changed there alone. The few
/// hundred of the stop at either end are in it. Null: tracing is denied, or more than `limit`.
template <std::invocable F>
std::optional<std::uint64_t> instructions_of(F&& call, std::uint64_t limit = 20'000'000) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
        ::raise(SIGSTOP);
        std::forward<F>(call)();
        ::raise(SIGSTOP);
        ::_exit(0);
    }
    int status = 0;
    std::uint64_t count = 0;
    bool whole = false;
    if (::waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        while (!whole && count < limit) {
            if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
            if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) break;
            whole = WSTOPSIG(status) == SIGSTOP;
            ++count;
        }
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
    }
    if (!whole) return std::nullopt;
    return count;
}

} // namespace rondo::test
