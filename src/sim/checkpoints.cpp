#include <rondo/sim/checkpoints.hpp>

#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/event_loop.hpp>

#include <stdexcept>
#include <string>

namespace rondo::sim::detail {

std::uint64_t passes_now() { return rondo::detail::loop_access::state(running_loop()).passes; }

void require_passes(std::uint64_t before, bool some, const std::source_location& where) {
    if ((passes_now() != before) == some) return;
    throw std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) +
                           (some ? ": nobody else could run during this await" : ": this await has suspended"));
}

} // namespace rondo::sim::detail
