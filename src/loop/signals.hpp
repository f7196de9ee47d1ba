// Signals for a loop: the process-wide handler counts arrivals and wakes the loops that listen; each loop calls its handlers
// and tells its listeners.
#pragma once

#include <rondo/loop/detail/signal_listener.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace rondo::detail {

class backend;
class inbox;

/// The handlers of one loop. Belongs to the loop's thread.
class signal_dispatcher {
public:
    signal_dispatcher(backend& waker, inbox& box);
    signal_dispatcher(const signal_dispatcher&) = delete;
    signal_dispatcher& operator=(const signal_dispatcher&) = delete;
    /// Brings back the action of every signal that no other loop listens to.
    ~signal_dispatcher();

    /// Throws value_error (no such signal), runtime_error (cannot be caught).
    void add(int signal, std::function<void()> handler);
    bool remove(int signal);
    /// Any number for each signal, beside the handler. Throws as add().
    void listen(signal_listener& listener);
    void unlisten(signal_listener& listener) noexcept;

    /// Something may have arrived since the last dispatch(). One load.
    bool pending() const noexcept;
    /// Tells the listeners of what has arrived, and hands each handler whose signal has to `call`.
    void dispatch(const std::function<void(const std::shared_ptr<std::function<void()>>&)>& call);

    /// From the signal handler.
    void notify() noexcept;

private:
    struct entry {
        std::shared_ptr<std::function<void()>> handler; // may be null
        signal_listener* listeners = nullptr;
        std::uint32_t seen = 0;
    };
    entry& entry_for(int signal);
    void drop_if_unused(int signal) noexcept;
    backend& waker_;
    inbox& box_;
    std::map<int, entry> entries_;
    std::uint32_t seen_total_ = 0;
    int slot_ = -1;
};

} // namespace rondo::detail
