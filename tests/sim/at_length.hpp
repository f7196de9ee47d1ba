// Many explorations, side by side where there are processors for it, and what they add up to. `./dev sim` makes them long.
#pragma once

#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rondo::test {

inline std::size_t number_from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Somebody waits for the end, and wants to see how far it is.
inline bool is_told() { return std::getenv("RONDO_SIM_TOLD") != nullptr; }

/// A program, and in which worlds it runs.
struct explored_program {
    std::string_view name;
    coro<> (*body)();
    sim::options how = {};
};

/// RONDO_SIM_JOBS: in so many threads, of which each has worlds of its own. RONDO_SIM_TOLD: stderr hears how far it is.
class at_length {
public:
    struct sums {
        std::vector<std::uint64_t> traces; // of each portion, in their order, whoever has made it
        std::map<std::string, std::size_t> deviated;
        std::size_t schedules = 0;
        std::optional<std::string> counter_example;
        std::uint64_t trace() const {
            std::uint64_t all = 0xcbf29ce484222325;
            for (const std::uint64_t one : traces) all = (all ^ one) * 0x100000001b3;
            return all;
        }
    };

    explicit at_length(std::string_view what) : what_(what) {}

    /// At least so many schedules of all programs together, each with seeds of its own.
    sums explore(const std::vector<explored_program>& programs, std::size_t schedules) {
        portions_.clear();
        for (const explored_program& p : programs) {
            const std::size_t all = (schedules + programs.size() - 1) / programs.size();
            for (std::size_t done = 0; done < all; done += of_a_portion)
                portions_.push_back({&p, 1 + done, std::min(of_a_portion, all - done)});
        }
        sums_ = {};
        sums_.traces.resize(portions_.size());
        next_ = 0;
        total_ = schedules;
        began_ = told_ = std::chrono::steady_clock::now();
        std::vector<std::thread> others;
        for (std::size_t i = 1; i < number_from_environment("RONDO_SIM_JOBS", 1); ++i)
            others.emplace_back([this] { work(); });
        work();
        for (std::thread& t : others) t.join();
        return std::move(sums_);
    }

    /// How many a second, since the last explore() began.
    double rate(std::size_t schedules) const {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
        return static_cast<double>(schedules) / std::max(took.count(), 1e-3);
    }

private:
    static constexpr std::size_t of_a_portion = 1000;
    struct portion {
        const explored_program* of;
        std::uint64_t seed;
        std::size_t schedules;
    };

    void work() {
        for (std::size_t mine = next_++; mine < portions_.size(); mine = next_++) {
            const portion& p = portions_[mine];
            sim::options how = p.of->how;
            how.seed = p.seed;
            how.schedules = p.schedules;
            add(mine, sim::explore(how, p.of->body));
        }
    }

    void add(std::size_t which, sim::exploration&& explored) {
        const std::lock_guard<std::mutex> hold(mutex_);
        sums_.traces[which] = explored.trace;
        sums_.schedules += explored.schedules;
        for (const sim::label_count& count : explored.labels)
            sums_.deviated[std::string(count.what.text())] += count.deviated;
        if (explored.counter_example && !sums_.counter_example) {
            sums_.counter_example = std::string(portions_[which].of->name) + ": " + explored.counter_example->str();
            next_ = portions_.size();
        }
        const auto now = std::chrono::steady_clock::now();
        if (!is_told() || now - told_ < std::chrono::seconds(5)) return;
        told_ = now;
        const double per_second = rate(sums_.schedules);
        const double left = static_cast<double>(total_ - std::min(total_, sums_.schedules)) / std::max(per_second, 1.0);
        std::fprintf(stderr, "%.*s: %zu of %zu schedules, %.0f a second, %.0f s left\n", static_cast<int>(what_.size()),
                     what_.data(), sums_.schedules, total_, per_second, left);
    }

    const std::string_view what_;
    std::vector<portion> portions_;
    std::atomic<std::size_t> next_ = 0;
    std::size_t total_ = 0;
    std::chrono::steady_clock::time_point began_, told_;
    std::mutex mutex_; // for the sums
    sums sums_;
};

} // namespace rondo::test
