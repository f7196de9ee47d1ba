// One measurement in one process: `program CASE [SECONDS]` runs a case until it has used about SECONDS of CPU, then prints
//
//     {"value": 7.1, "allocations": 0.0, "operations": 21000000}
//
// value being CPU nanoseconds per operation, unless the case says otherwise. CPU time, because who else uses the machine
// then hardly shows. The driver repeats this, interleaved with other programs that print the same. With
// RONDO_BENCH_COUNT_CALLS in the environment it also prints "system_calls", each; that slows what makes them.
#pragma once

#include "allocations.hpp"
#include "system_calls.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace bench {

/// Keeps the compiler from dropping a value that nobody uses.
template <class T> inline void keep(T&& value) { asm volatile("" : : "g"(&value) : "memory"); }

/// CPU time of all threads of this process.
std::uint64_t cpu_nanoseconds() noexcept;
/// CPU time of the calling thread.
std::uint64_t thread_nanoseconds() noexcept;
std::uint64_t wall_nanoseconds() noexcept;
std::uint64_t resident_bytes();
/// Two threads that wake each other belong on two cores, or the scheduler decides what is measured. On a machine with one core
/// nothing happens.
void pin_to_first_core();
void pin_to_last_core();

/// What a case is given: how many operations to make, and the switch between preparing and measuring.
class meter {
public:
    explicit meter(std::uint64_t wanted);

    void start() noexcept;
    /// May be followed by another start(): what is between them is not counted.
    void stop() noexcept;
    /// The result is this instead of the time between start() and stop().
    void value(double v) noexcept { value_ = v; }

    std::uint64_t n;

    double cpu() const noexcept { return static_cast<double>(cpu_); }
    double result() const noexcept { return value_ ? *value_ : cpu() / static_cast<double>(n); }
    double allocations_each() const noexcept { return static_cast<double>(allocations_) / static_cast<double>(n); }
    std::optional<double> system_calls_each() const;

private:
    std::uint64_t cpu_ = 0;
    std::uint64_t allocations_ = 0;
    std::uint64_t cpu_at_start_ = 0;
    std::uint64_t allocations_at_start_ = 0;
    std::optional<double> value_;
    std::optional<system_calls> calls_;
};

struct bench_case {
    std::string_view name;
    std::function<void(meter&)> run;
    std::uint64_t fixed = 0; // not 0: measured once, with this many operations
};

/// main() of such a program. Without a case it lists them.
int measure(int argc, char** argv, const std::vector<bench_case>& cases);

} // namespace bench
