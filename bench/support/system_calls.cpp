#include "system_calls.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bench {

namespace {

std::optional<std::uint64_t> tracepoint() {
    for (const char* root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        const std::string name = std::string(root) + "/events/raw_syscalls/sys_enter/id";
        if (std::FILE* file = std::fopen(name.c_str(), "r")) {
            unsigned long long id = 0;
            const bool found = std::fscanf(file, "%llu", &id) == 1;
            std::fclose(file);
            if (found) return id;
        }
    }
    return std::nullopt;
}

int open_counter(std::uint64_t id, pid_t thread) {
    perf_event_attr what{};
    what.type = PERF_TYPE_TRACEPOINT;
    what.size = sizeof what;
    what.config = id;
    what.disabled = 1;
    what.inherit = 1;
    return static_cast<int>(syscall(SYS_perf_event_open, &what, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

} // namespace

system_calls::system_calls(pid_t process) {
    const auto id = tracepoint();
    if (!id) return;
    std::error_code ignored;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", ignored)) {
        const std::string name = entry.path().filename();
        pid_t thread = 0;
        std::from_chars(name.data(), name.data() + name.size(), thread);
        const int counter = open_counter(*id, thread);
        if (counter >= 0) counters_.push_back(counter);
    }
}

system_calls::~system_calls() {
    for (const int counter : counters_) close(counter);
}

void system_calls::enable() noexcept {
    for (const int counter : counters_) ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
}

void system_calls::disable() noexcept {
    for (const int counter : counters_) ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
}

std::optional<std::uint64_t> system_calls::read() const {
    if (counters_.empty()) return std::nullopt;
    std::uint64_t sum = 0;
    for (const int counter : counters_) {
        std::uint64_t count = 0;
        if (::read(counter, &count, sizeof count) != sizeof count) return std::nullopt;
        sum += count;
    }
    return sum;
}

} // namespace bench
