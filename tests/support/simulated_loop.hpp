// An event loop in a plain simulated world of its own: virtual time, no kernel, nothing deviates.
#pragma once

#include <rondo/loop/event_loop.hpp>

#include <array>
#include <cstddef>
#include <memory>

namespace rondo::detail {
class backend;
}

namespace rondo::test {

/// Where everything waits it gives way to other threads, instead of ending the run: they are no part of the world.
std::unique_ptr<detail::backend> make_simulated_backend();

std::unique_ptr<event_loop> make_simulated_loop(bool debug);

/// Connected Unix sockets in the world of such a loop.
std::array<int, 2> make_simulated_pair(event_loop& loop);
/// How many are open in it.
std::size_t simulated_descriptors(event_loop& loop);

} // namespace rondo::test
