// How many system calls a process makes, from the kernel's own tracepoint (perf_event_open(2), raw_syscalls:sys_enter). Needs
// tracefs and the right to look, which root has; without them there is no count.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <sys/types.h>

namespace bench {

class system_calls {
public:
    /// Of all threads that `process` has now, and of those that they will start. Not counting yet.
    explicit system_calls(pid_t process);
    system_calls(system_calls&& other) noexcept = default;
    ~system_calls();
    void enable() noexcept;
    void disable() noexcept;
    /// nullopt: they cannot be counted here.
    std::optional<std::uint64_t> read() const;

private:
    std::vector<int> counters_; // one for each thread
};

} // namespace bench
