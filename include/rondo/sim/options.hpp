// How a simulated run is made: the seed, what may happen in it, and how its choices are answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace rondo::sim {

/// What may happen in a run beside the plainest thing. Only the last four make anything fail; the others are worlds that
/// every correct program has to live in.
struct fault_classes {
    bool order = true;      // which of several operations completes first, and in which pass
    bool latency = true;    // how long bytes, connections and a thread's work take; how late the loop wakes, or
                            // that it wakes for nothing
    bool partial = true;    // short reads and writes, small windows
    bool races = true;      // an operation that was cancelled is done all the same
    bool datagrams = true;  // UDP: lost, doubled, overtaken
    bool names = false;     // a host name is not found, or nobody answers
    bool network = false;   // ECONNRESET, EPIPE, ECONNREFUSED, ECONNABORTED, ETIMEDOUT, EHOSTUNREACH, EADDRINUSE
    bool resources = false; // EMFILE, ENFILE, ENOBUFS, ENOMEM
    bool storage = false;   // EIO, ENOSPC, EDQUOT, EACCES, of files
    bool memory = false;    // std::bad_alloc from any allocation of the body and of the library under it

    /// But for memory: few programs want to live on without.
    static constexpr fault_classes all() noexcept {
        return {.names = true, .network = true, .resources = true, .storage = true};
    }
    /// Every operation is done at once, in order and whole.
    static constexpr fault_classes none() noexcept {
        return {.order = false, .latency = false, .partial = false, .races = false, .datagrams = false};
    }
};

/// How choices are answered. 0 is always the plain answer: first come, no delay, no fault. To deviate is to answer
/// otherwise.
class strategy {
public:
    enum class kind : std::uint8_t { fifo, random, pct, exhaustive, portfolio };

    /// Never deviates.
    static constexpr strategy fifo() noexcept { return {kind::fifo, 0}; }
    /// Each run draws a rate for each label, and deviates at that rate.
    static constexpr strategy random() noexcept { return {kind::random, 0}; }
    /// Random priorities decide every order, and change at d random places, where all else deviates too (Burckhardt et al.,
    /// ASPLOS 2010): a bug that needs d + 1 things in one order is found with a probability that has a lower bound.
    static constexpr strategy pct(unsigned d) noexcept { return {kind::pct, d}; }
    /// Every run with at most d deviations, fewest first: what it finds is smallest. Of a choice among many, the first
    /// alternatives and the last are tried.
    static constexpr strategy exhaustive(unsigned d) noexcept { return {kind::exhaustive, d}; }
    /// fifo once, then random and pct in turns.
    static constexpr strategy portfolio() noexcept { return {kind::portfolio, 0}; }

    constexpr kind which() const noexcept { return kind_; }
    constexpr unsigned depth() const noexcept { return depth_; }

private:
    constexpr strategy(kind k, unsigned depth) noexcept : kind_(k), depth_(depth) {}
    kind kind_;
    unsigned depth_;
};

/// What backend the world is like: some have operations for files, others leave files to threads.
enum class file_access : std::uint8_t { either, operations, threads };

struct options {
    std::uint64_t seed = 1;       // of the first run; the next one has the next
    std::size_t schedules = 1000; // runs of explore(), at most
    sim::strategy strategy = strategy::portfolio();
    std::size_t max_steps = 100'000; // passes of the loop; a run that takes more is one that does not end
    fault_classes faults = {};
    file_access files = file_access::either;        // a choice, where there are such of latency; otherwise operations
    bool cancel_main = false;                       // before each pass the main task may be cancelled, once in a run
    std::size_t replayed = 8;                       // so many of explore()'s runs are made twice, and must be the same
    bool coverage = false;                          // counts labels: exploration::labels
    std::function<std::string()> verdict = nullptr; // asked after each run: what else is wrong with it, or nothing
};

} // namespace rondo::sim
