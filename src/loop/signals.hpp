// Signals for a loop: the process-wide handler counts arrivals and wakes the loops that listen; each loop calls its handlers.
#pragma once

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
    bool empty() const noexcept { return handlers_.empty(); }

    /// Something may have arrived since the last dispatch(). One load.
    bool pending() const noexcept;
    /// Hands each handler whose signal has arrived to `call`.
    void dispatch(const std::function<void(const std::shared_ptr<std::function<void()>>&)>& call);

    /// From the signal handler.
    void notify() noexcept;

private:
    struct entry {
        std::shared_ptr<std::function<void()>> handler;
        std::uint32_t seen;
    };
    backend& waker_;
    inbox& box_;
    std::map<int, entry> handlers_;
    std::uint32_t seen_total_ = 0;
    int slot_ = -1;
};

} // namespace rondo::detail
