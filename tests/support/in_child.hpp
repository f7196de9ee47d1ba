// What a forked child found out, as its exit status: a failed expectation there would be seen by nobody.
#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace rondo::test {

/// Forks, and ends the child with 0 when holds() is true there, 1 when it is not, 2 when it throws. Gives that status; 256
/// and more: a signal ended it.
template <std::predicate F> int in_child(F&& holds) {
    const pid_t child = ::fork();
    if (child == 0) {
        int outcome = 2;
        try {
            outcome = std::forward<F>(holds)() ? 0 : 1;
        } catch (...) { // whatever it is, it must not unwind into the test's own frames
        }
        ::_exit(outcome);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + status;
}

} // namespace rondo::test
