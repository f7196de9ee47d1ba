// Which loops are open in this process, and in which process we are.
#pragma once

namespace rondo {
class event_loop;
}

namespace rondo::detail {

void register_loop(const event_loop& loop);
void unregister_loop(const event_loop& loop) noexcept;
bool is_registered(const event_loop* loop) noexcept;
/// Calls look(loop), which may throw, unless the loop is closed or gone; it stays while that looks.
void look_if_registered(const event_loop* loop, void (*look)(const event_loop& loop));

} // namespace rondo::detail
