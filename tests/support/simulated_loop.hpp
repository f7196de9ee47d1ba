// An event loop in a plain simulated world of its own: virtual time, no kernel, nothing deviates.
#pragma once

#include <rondo/loop/event_loop.hpp>

#include <memory>

namespace rondo::test {

/// Where everything waits it gives way to other threads, instead of ending the run: they are no part of the world.
std::unique_ptr<event_loop> make_simulated_loop(bool debug);

} // namespace rondo::test
