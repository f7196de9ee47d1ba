#include "sim/signal_board.hpp"

#include <rondo/coro/exceptions.hpp>

#include "sim/labels.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>

namespace rondo::sim::detail {

namespace {

using namespace std::chrono_literals;
using rondo::detail::signal_bit;

constexpr std::array<duration, 4> signal_journeys{0ns, 1ms, 100ms, 5s};

} // namespace

void signal_board::clear() noexcept {
    sinks_.clear();
    under_way_ = 0;
}

int signal_board::watch(int signal, rondo::detail::signal_sink& sink) {
    const allocating_for_the_world own;
    if (signal == SIGKILL || signal == SIGSTOP) return -EINVAL;
    if (world_.fails(world_.faults.resources, labels::no_more_sinks_for_signals)) return -EAGAIN;
    sinks_[signal].push_back(&sink);
    return 0;
}

void signal_board::unwatch(int signal, rondo::detail::signal_sink& sink) noexcept {
    const auto at = sinks_.find(signal);
    if (at == sinks_.end()) return;
    std::erase(at->second, &sink);
    if (at->second.empty()) sinks_.erase(at);
}

void signal_board::raise(int signal) {
    const allocating_for_the_world own;
    if (signal < 1 || signal > rondo::detail::last_signal)
        throw value_error("there is no signal " + std::to_string(signal));
    if (under_way_ & signal_bit(signal)) return;
    under_way_ |= signal_bit(signal);
    const duration takes = world_.choose_delay(signal_journeys, labels::how_late_a_signal_comes);
    world_.later.enter(world_.now + takes, [this, signal] { arrive(signal); });
}

void signal_board::arrive(int signal) {
    under_way_ &= ~signal_bit(signal);
    const auto at = sinks_.find(signal);
    if (at != sinks_.end()) {
        for (rondo::detail::signal_sink* sink : at->second) sink->signal_arrived(signal);
    } else if (signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH && signal != SIGCONT) {
        world_.die("signal " + std::to_string(signal) + " has ended the program: nobody watches it");
    }
}

} // namespace rondo::sim::detail
