// The terminal, or what stands in for it: log lines, and below them a block that is redrawn.
#pragma once

#include "report/display.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mayhem {

/// Writes log lines to standard error and the summary to standard output, on a thread of its own: a slow terminal or a full
/// pipe holds up nobody else. May be used from any thread. Bounded: when lines come faster than they can be written, the
/// newest are dropped and their number is told.
class screen final : public display {
public:
    struct options {
        int summary_fd = 1;
        int log_fd = 2;
    };

    explicit screen(options o);
    screen() : screen(options()) {}
    screen(const screen&) = delete;
    ~screen() override; // close()

    /// Whether the summary is on a terminal, where it can be redrawn in place.
    bool live() const noexcept override { return live_; }
    struct extent {
        std::size_t columns = 120;
        std::size_t rows = 50;
    };
    /// Of the terminal, now: what the block of redraw() is cut to.
    extent size() const noexcept;

    void log_line(std::string line) override;
    void summary_line(std::string line) override;
    void redraw(std::vector<std::string> block) override;

    /// Writes what is left and ends the thread; the block stays where it is. Idempotent.
    void close();

private:
    struct line {
        int fd;
        std::string text;
    };
    struct batch {
        std::vector<line> lines;
        std::vector<std::string> block;
        bool redraw = false;
        std::uint64_t dropped = 0;
    };

    void push(line l);
    void work();
    void show(batch b);

    const options options_;
    const bool live_;
    const bool one_terminal_; // log lines appear where the block is
    std::size_t drawn_ = 0;   // lines of the block that are on the terminal now: the thread's
    std::vector<std::string> shown_;

    std::mutex mutex_;
    std::condition_variable changed_;
    batch next_;
    bool closing_ = false;
    std::thread thread_;
};

} // namespace mayhem
