// What a loop holds beside its state.
#pragma once

#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"
#include "loop/descriptor_watches.hpp"
#include "loop/inbox.hpp"
#include "loop/loop_visits.hpp"
#include "loop/signals.hpp"
#include "loop/timer_queue.hpp"
#include "loop/watchdog.hpp"

#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace rondo {

struct event_loop::internals {
    std::unique_ptr<detail::backend> backend;
    detail::timer_queue timers;
    detail::inbox inbox;
    std::vector<std::pair<detail::service_key, std::unique_ptr<detail::loop_service>>> services;
    std::shared_ptr<executor> default_executor;
    void (*reporter)(event_loop&, const detail::error_report&) = nullptr;
    std::unique_ptr<detail::signal_dispatcher> signals;
    std::unique_ptr<detail::descriptor_watches> descriptors;
    std::thread::id thread; // of the run that is going on
    unsigned passes_without_poll = 0;
    duration busy_poll = duration::zero();
    std::shared_ptr<detail::loop_door> door;
    const std::shared_ptr<detail::loop_visits> visits = std::make_shared<detail::loop_visits>();
    time_point step_ended{}; // in debug mode: when the last step ended, and in which pass
    std::uint64_t step_ended_in = 0;
    bool executor_shut = false;                 // there is no default executor any more
    bool hosted = false;                        // poll_fd() was called: a host loop runs this one
    std::unique_ptr<detail::watchdog> watching; // made when it is first asked for, and there until the loop is gone
    detail::watchdog& watched_by(event_loop& loop) {
        if (!watching) watching = std::make_unique<detail::watchdog>(loop, inbox);
        return *watching;
    }
    time_point announced = time_point::min(); // what the host that sleeps waits for at the latest
};

} // namespace rondo
