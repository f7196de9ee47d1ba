// What all steps have in common: requests, and the two things that are done with them, both of which are mostly waiting.
#pragma once

#include <rondo/rondo.hpp>

#include <chrono>
#include <string>

namespace mayhem {

using namespace std::chrono_literals;

struct request {
    int id = 0;
    std::string host = "host-" + std::to_string(id);
};
using requests = rondo::queue<request>;

/// Prints a line with the time since the step began.
void say(const std::string& text);

rondo::coro<> restart_host(request r);          // 300 ms
rondo::coro<> save(request r);                  // 200 ms, into a database
rondo::coro<> publish(requests& to, int count); // one each 100 ms, then no more

// The steps.
rondo::coro<> sequential();
rondo::coro<> concurrent();
rondo::coro<> extended();
rondo::coro<> shut_down();
rondo::coro<> handling_errors();
rondo::coro<> threaded();
void tested();
rondo::coro<> debugged();
rondo::coro<> profiled();

/// The time of say() begins, then the step.
rondo::coro<> timed(rondo::coro<> (*step)());

} // namespace mayhem
