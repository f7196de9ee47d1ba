// Which event loop a lock, a queue or the like belongs to: the first one that made a task wait for it (asyncio's mixins).
#pragma once

#include <cstdint>
#include <string>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

class loop_binding {
public:
    /// A task of `loop` is about to wait. False: the object belongs to another loop, which may be closed by now.
    bool bind(event_loop& loop) noexcept;

private:
    std::uint64_t number_ = 0; // of the loop; 0: none yet
};

/// runtime_error: "`label` is bound to a different event loop".
[[noreturn]] void throw_bound_elsewhere(const std::string& label);

} // namespace rondo::detail
