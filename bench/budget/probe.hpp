// What is free of noise about a piece of a program: allocations, bytes and system calls, and under callgrind its instructions.
#pragma once

#include "support/allocations.hpp"
#include "support/system_calls.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace budget {

/// Name of a figure, and the figure: "instructions/await", "allocations/await", "bytes/a sleeping task" ...
using figures = std::map<std::string, double>;

/// begin(), `operations` times something, end(): what each of them took.
class probe {
public:
    probe(std::string scenario, std::uint64_t operations, figures& into);
    void begin();
    void end();

private:
    std::string scenario_;
    double operations_;
    figures& figures_;
    std::uint64_t allocations_ = 0;
    bench::system_calls calls_;
};

} // namespace budget
