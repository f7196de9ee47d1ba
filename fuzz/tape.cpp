// libFuzzer makes the choices of a simulated run: the first byte says which program, each of the others is a choice. What it
// finds is printed as a replay: a line for tests/sim/tapes_test.cpp.
#include "programs.hpp"

#include <rondo/sim/run.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const rondo::fuzz::program& which = rondo::fuzz::programs[data[0] % rondo::fuzz::programs.size()];
    const rondo::sim::options how{.max_steps = 20'000, .faults = rondo::sim::fault_classes::all()};
    const auto outcome = rondo::sim::run_bytes(how, std::span(data, size).subspan(1), which.body);
    if (!outcome.failure) return 0;
    const std::string text(which.name);
    std::fprintf(stderr, "%s\n    {\"%s\", \"%s\"},\n", outcome.failure->str().c_str(), text.c_str(),
                 outcome.failure->replay().c_str());
    std::abort();
}
