// Waiting for a descriptor that the program owns, so that notify_closing() finds whoever waits.
#pragma once

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// An intrusive node. `closing` is called by notify_closing(fd), which has unlinked it before; it runs no user code.
struct descriptor_waiter {
    using function = void (*)(descriptor_waiter&) noexcept;
    explicit descriptor_waiter(function f) noexcept : closing(f) {}
    descriptor_waiter(const descriptor_waiter&) = delete;
    descriptor_waiter& operator=(const descriptor_waiter&) = delete;

    int fd = -1;
    function closing;
    descriptor_waiter* next = nullptr;
    descriptor_waiter* previous = nullptr;
    bool linked = false;
};

/// Makes room for waiters of `fd`. value_error when it is negative, std::system_error when it is not open, runtime_error when
/// the loop is closed.
void prepare_to_wait_for(event_loop& loop, int fd);
/// Once prepared.
void add_waiter(event_loop& loop, descriptor_waiter& waiter) noexcept;
/// Nothing when it is not linked.
void remove_waiter(event_loop& loop, descriptor_waiter& waiter) noexcept;

} // namespace rondo::detail
