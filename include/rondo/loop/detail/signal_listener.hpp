// Being told of a signal, beside others and beside the loop's handler for it.
#pragma once

namespace rondo {
class event_loop;
}

namespace rondo::detail {

/// An intrusive node. `arrived` is called in the loop's pass, once for any number of arrivals since the last time; it makes
/// something ready, runs no user code, and neither adds nor removes a listener. A loop that closes unlinks its listeners.
struct signal_listener {
    using function = void (*)(signal_listener&) noexcept;
    signal_listener(int s, function f) noexcept : signal(s), arrived(f) {}
    signal_listener(const signal_listener&) = delete;
    signal_listener& operator=(const signal_listener&) = delete;

    int signal;
    function arrived;
    signal_listener* next = nullptr;
    bool linked = false;
};

/// Throws value_error (no such signal), runtime_error (it cannot be caught). Any thread may own the loop.
void listen_for_signal(event_loop& loop, signal_listener& listener);
/// Nothing when it is not linked.
void stop_listening(event_loop& loop, signal_listener& listener) noexcept;

} // namespace rondo::detail
