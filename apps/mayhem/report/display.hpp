// What the service shows: log lines, a summary, and a block that is redrawn where that can be done.
#pragma once

#include <string>
#include <vector>

namespace mayhem {

/// Never waits. Any thread.
class display {
public:
    virtual ~display() = default;

    /// Whether redraw() shows anything.
    virtual bool live() const noexcept = 0;
    virtual void log_line(std::string line) = 0;
    virtual void summary_line(std::string line) = 0;
    /// Shows these lines below everything else, in place of the ones before. Nothing unless live().
    virtual void redraw(std::vector<std::string> block) = 0;
};

} // namespace mayhem
