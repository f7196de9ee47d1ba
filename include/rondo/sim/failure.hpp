// What went wrong in a simulated run, and how to see it again.
#pragma once

#include <rondo/sim/label.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rondo::sim {

enum class failure_kind : std::uint8_t {
    check,          // options::verdict() was not content
    error,          // the body ended with an exception
    deadlock,       // everything waits, and nothing will happen any more
    endless,        // more passes than options::max_steps
    leak,           // a task, descriptor, operation or timer outlived the body
    report,         // the exception handler was told of an error that nobody else saw
    nondeterminism, // the same choices made another run
};

/// A choice that was not answered with 0.
struct deviation {
    std::size_t step;     // which choice of the run, from 0
    std::uint32_t choice; // 1 to of - 1
    std::uint32_t of;
    label what;
};

/// A counter-example. str() is what a test prints: what happened, every deviation, and how to replay it.
struct failure {
    failure_kind kind;
    std::string message;
    std::uint64_t seed = 0;
    std::size_t choices = 0; // of the whole run
    std::vector<deviation> deviations = {};

    /// "SEED@STEP=CHOICE,...": with RONDO_SIM_REPLAY set to it, explore() makes this run and no other.
    std::string replay() const;
    std::string str() const;
};

} // namespace rondo::sim
