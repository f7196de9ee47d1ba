#include <rondo/sync/detail/loop_binding.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/event_loop.hpp>

namespace rondo::detail {

bool loop_binding::bind(event_loop& loop) noexcept {
    const std::uint64_t number = loop_access::state(loop).number;
    if (number_ == 0) number_ = number;
    return number_ == number;
}

void throw_bound_elsewhere(const std::string& label) {
    throw runtime_error(label + " is bound to a different event loop");
}

} // namespace rondo::detail
