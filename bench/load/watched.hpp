// The server as the generator sees it from outside: its CPU time, its allocations, its system calls, its memory.
#pragma once

#include "support/system_calls.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace load {

class watched_server {
public:
    /// `counter`: the file in which a program that links allocations.cpp counts them, or "".
    watched_server(pid_t process, const std::string& counter, bool count_calls);
    watched_server(const watched_server&) = delete;
    watched_server& operator=(const watched_server&) = delete;
    ~watched_server();

    void start();
    void stop();

    std::uint64_t cpu_nanoseconds() const noexcept { return cpu_; }
    std::optional<std::uint64_t> allocations() const noexcept;
    std::optional<std::uint64_t> system_calls() const;

private:
    pid_t process_;
    volatile std::uint64_t* count_ = nullptr; // the server adds to it
    std::optional<bench::system_calls> calls_;
    std::uint64_t cpu_ = 0;
    std::uint64_t allocations_ = 0;
};

/// On-CPU time of all threads of a process, from schedstat, in nanoseconds.
std::uint64_t cpu_of(pid_t process);
/// Resident bytes of a process.
std::uint64_t resident_of(pid_t process);

} // namespace load
