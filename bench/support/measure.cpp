#include "measure.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <sched.h>
#include <time.h>
#include <unistd.h>

namespace bench {

namespace {

std::uint64_t read_clock(clockid_t clock) noexcept {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

/// Ever more operations until a run is long enough to tell how many fill the wanted time; those runs are the warm-up.
std::uint64_t operations_for(const bench_case& wanted, double nanoseconds) {
    std::uint64_t n = 64;
    for (;;) {
        meter trial(n);
        wanted.run(trial);
        if (trial.cpu() > nanoseconds / 20 || n > (1ull << 40)) {
            const double scaled = static_cast<double>(n) * nanoseconds / std::max(trial.cpu(), 1.0);
            return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(scaled));
        }
        n *= 8;
    }
}

} // namespace

std::uint64_t cpu_nanoseconds() noexcept { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }
std::uint64_t thread_nanoseconds() noexcept { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
std::uint64_t wall_nanoseconds() noexcept { return read_clock(CLOCK_MONOTONIC); }

std::uint64_t resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (!file) return 0;
    unsigned long total = 0;
    unsigned long resident = 0;
    if (std::fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
    std::fclose(file);
    return static_cast<std::uint64_t>(resident) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

meter::meter(std::uint64_t wanted) : n(wanted) {
    if (std::getenv("RONDO_BENCH_COUNT_CALLS")) calls_.emplace(getpid());
}

std::optional<double> meter::system_calls_each() const {
    const auto counted = calls_ ? calls_->read() : std::nullopt;
    if (!counted) return std::nullopt;
    return static_cast<double>(*counted) / static_cast<double>(n);
}

namespace {

void pin(bool first) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    int chosen = -1;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(static_cast<unsigned>(core), &allowed)) continue;
        chosen = core;
        if (first) break;
    }
    if (chosen < 0) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(chosen), &one);
    sched_setaffinity(0, sizeof one, &one);
}

} // namespace

void pin_to_first_core() { pin(true); }
void pin_to_last_core() { pin(false); }

void meter::start() noexcept {
    if (calls_) calls_->enable();
    allocations_at_start_ = allocations();
    cpu_at_start_ = cpu_nanoseconds();
}

void meter::stop() noexcept {
    cpu_ += cpu_nanoseconds() - cpu_at_start_;
    allocations_ += allocations() - allocations_at_start_;
    if (calls_) calls_->disable();
}

int measure(int argc, char** argv, const std::vector<bench_case>& cases) {
    if (argc < 2) {
        for (const bench_case& c : cases) std::printf("%.*s\n", static_cast<int>(c.name.size()), c.name.data());
        return 0;
    }
    const auto found = std::find_if(cases.begin(), cases.end(), [&](const bench_case& c) { return c.name == argv[1]; });
    if (found == cases.end()) {
        std::fprintf(stderr, "%s: no case '%s'\n", argv[0], argv[1]);
        return 2;
    }
    const double seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 0.2;
    try {
        meter m(found->fixed ? found->fixed : operations_for(*found, seconds * 1e9));
        found->run(m);
        std::printf("{\"value\": %.4f, \"allocations\": %.4f", m.result(), m.allocations_each());
        if (const auto calls = m.system_calls_each()) std::printf(", \"system_calls\": %.4f", *calls);
        std::printf(", \"operations\": %llu}\n", static_cast<unsigned long long>(m.n));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s: %s\n", argv[0], argv[1], error.what());
        return 1;
    }
}

} // namespace bench
