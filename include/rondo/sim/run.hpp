// Running a coroutine in simulated worlds: once, in many schedules, and cancelled at every moment.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sim/failure.hpp>
#include <rondo/sim/label.hpp>
#include <rondo/sim/options.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace rondo::sim {

/// Makes the main task of a run; called once in each. What it refers to must look the same at the beginning of each run.
using body_factory = std::function<coro<>()>;

struct outcome {
    std::uint64_t seed = 0;
    std::size_t choices = 0;
    std::size_t passes = 0;
    std::uint64_t trace = 0; // a hash of all choices, operations, results and times: equal for equal runs
    std::optional<sim::failure> failure = std::nullopt;
};
/// How often one kind of choice was met, and how often it was not answered with 0.
struct label_count {
    label what;
    std::size_t met = 0;
    std::size_t deviated = 0;
};
struct exploration {
    std::size_t schedules = 0;
    std::size_t choices = 0;
    std::optional<failure> counter_example = std::nullopt; // shrunk
    std::vector<label_count> labels = {}; // with options::coverage, in the order in which they were met
    std::uint64_t trace = 0;              // of all runs
};

/// Runs the body as the main task of an event loop in a world without a kernel: sockets, files and processes of its own,
/// virtual time that jumps when nothing is ready, randomness from the seed. Everything that the world is free to decide is a
/// choice, and is answered by the strategy.
///
/// The run fails when the body throws, when everything waits for ever (who waits for whom is told), when a task, descriptor,
/// operation or timer is left a minute of virtual time after the body's end (twenty, where there are hosts: TCP does not give up
/// earlier), when the exception handler is told of an error, or when it takes memory and never gives it back (explore() alone, in
/// the runs that it makes twice). Descriptors that are sent over sockets are not there: ENOSYS, and the failure names what was
/// asked for. Not inside a running loop: runtime_error. A strategy of several runs: its first.
///
///     auto outcome = rondo::sim::run({.seed = 7, .strategy = rondo::sim::strategy::random()}, [] { return transfer(); });
outcome run(const options& how, const body_factory& body);

/// The same with choices that are bytes: each takes one, modulo the number of alternatives, and 0 when there are none left. For
/// a fuzzer that looks for bytes which lead to new places in the program.
outcome run_bytes(const options& how, std::span<const std::uint8_t> choices, const body_factory& body);

/// The same with the choices of failure::replay(). value_error: it is none.
outcome replay(const options& how, std::string_view tape, const body_factory& body);

/// Up to options::schedules runs, until one fails; that one is shrunk: deviations are taken away, and made smaller, while it
/// still fails in the same way. With RONDO_SIM_REPLAY in the environment: that run alone.
exploration explore(const options& how, const body_factory& body);

/// Cancels the main task before every pass in turn, one run each, and once before it begins; other choices are plain. A body
/// that then ends otherwise than as cancelled, or with its value, fails, as does what it leaves behind.
exploration sweep_cancel(options how, const body_factory& body);

/// Lets every allocation in turn fail, one run each: operator new, frames and tasks, of the body, of the library under it, and
/// of the work that executors do for it. Other choices are plain. A run passes when the body ends with its value, or with what the
/// failure has led to (bad_alloc, a system_error, the early end of a stream), or a group of those; the exception handler may
/// be told of the same. Hanging, leaking and any other error fail. runtime_error where !can_sweep_alloc().
///
///     const auto swept = rondo::sim::sweep_alloc({}, [] { return transfer(); });
exploration sweep_alloc(options how, const body_factory& body);
/// False in a program that has an operator new of its own, and under ThreadSanitizer.
bool can_sweep_alloc() noexcept;

/// Lets every operation and every call of the system fail with each error that it can have, one run each. Judged as
/// sweep_alloc() is.
exploration sweep_errno(options how, const body_factory& body);

} // namespace rondo::sim
