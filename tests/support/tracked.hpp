// An object that knows how many of its kind live, for tests of what is destroyed when.
#pragma once

#include <utility>

namespace rondo::test {

/// Counts itself in `living` from construction to destruction; copies and moves count too.
class tracked {
public:
    explicit tracked(int& living) noexcept : living_(&living) { ++*living_; }
    tracked(const tracked& other) noexcept : living_(other.living_) { ++*living_; }
    tracked& operator=(const tracked&) = default;
    ~tracked() { --*living_; }

private:
    int* living_;
};

/// Calls fn() when it dies: on return, on an exception, and when a suspended frame is destroyed.
template <class F> class at_exit {
public:
    explicit at_exit(F fn) : fn_(std::move(fn)) {}
    at_exit(const at_exit&) = delete;
    at_exit& operator=(const at_exit&) = delete;
    ~at_exit() { fn_(); }

private:
    F fn_;
};

} // namespace rondo::test
