// One run of a body in a simulated world.
#pragma once

#include <rondo/sim/run.hpp>

#include "sim/simulation.hpp"

#include <cstddef>
#include <cstdint>

namespace rondo::sim::detail {

/// Of a sweep: the body may end with the error that a fault has led to, and tell the exception handler of it.
enum class judging : std::uint8_t { strict, swept };

/// What kind of failure it was, if it failed, and its whole tape: world.choices.
outcome run_once(simulation& world, const plan& p, const options& how, const body_factory& body,
                 judging verdict = judging::strict);

/// What the memory of this thread that the run had is now: the same before and after a run, but for what is made once.
struct memory_balance {
    std::int64_t blocks;
    std::size_t slab_bytes;
    friend bool operator==(const memory_balance&, const memory_balance&) = default;
};
memory_balance balance_now() noexcept;

} // namespace rondo::sim::detail
