#include "watched.hpp"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace load {

std::uint64_t cpu_of(pid_t process) {
    std::uint64_t sum = 0;
    std::error_code ignored;
    for (const auto& thread :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", ignored)) {
        std::uint64_t on_cpu = 0;
        std::ifstream(thread.path() / "schedstat") >> on_cpu;
        sum += on_cpu;
    }
    return sum;
}

std::uint64_t resident_of(pid_t process) {
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    std::ifstream("/proc/" + std::to_string(process) + "/statm") >> total >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

watched_server::watched_server(pid_t process, const std::string& counter, bool count_calls) : process_(process) {
    const int fd = counter.empty() ? -1 : open(counter.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        void* shared = mmap(nullptr, sizeof(std::uint64_t), PROT_READ, MAP_SHARED, fd, 0);
        if (shared != MAP_FAILED) count_ = static_cast<volatile std::uint64_t*>(shared);
        close(fd);
    }
    if (count_calls) calls_.emplace(process);
}

watched_server::~watched_server() {
    if (count_) munmap(const_cast<std::uint64_t*>(count_), sizeof(std::uint64_t));
}

void watched_server::start() {
    if (calls_) calls_->enable();
    if (count_) allocations_ = *count_;
    cpu_ = cpu_of(process_);
}

void watched_server::stop() {
    cpu_ = cpu_of(process_) - cpu_;
    if (count_) allocations_ = *count_ - allocations_;
    if (calls_) calls_->disable();
}

std::optional<std::uint64_t> watched_server::allocations() const noexcept {
    if (!count_) return std::nullopt;
    return allocations_;
}

std::optional<std::uint64_t> watched_server::system_calls() const { return calls_ ? calls_->read() : std::nullopt; }

} // namespace load
