// Signals of a simulated world: who watches, and what is under way.
#pragma once

#include "loop/backend/os.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace rondo::sim::detail {

class simulation;

/// A signal that is raised comes later, at a moment of the tape's; what is raised again meanwhile comes once.
class signal_board {
public:
    explicit signal_board(simulation& world) noexcept : world_(world) {}
    signal_board(const signal_board&) = delete;
    signal_board& operator=(const signal_board&) = delete;
    void clear() noexcept;

    int watch(int signal, rondo::detail::signal_sink& sink);
    void unwatch(int signal, rondo::detail::signal_sink& sink) noexcept;
    bool is_watched(int signal) const noexcept { return sinks_.contains(signal); }
    void raise(int signal);

private:
    void arrive(int signal);

    simulation& world_;
    std::map<int, std::vector<rondo::detail::signal_sink*>> sinks_;
    std::uint64_t under_way_ = 0; // signal_bit()s
};

} // namespace rondo::sim::detail
