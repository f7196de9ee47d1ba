// Signals for a loop: notes which have arrived and wakes the loop, which calls its handlers and tells its listeners.
#pragma once

#include <rondo/loop/context.hpp>
#include <rondo/loop/detail/signal_listener.hpp>
#include <rondo/loop/handle.hpp>

#include "loop/backend/os.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <source_location>

namespace rondo::detail {

class backend;
class inbox;

/// The handlers of one loop. Belongs to the loop's thread, but for signal_arrived().
class signal_dispatcher final : private signal_sink {
public:
    signal_dispatcher(backend& world, inbox& box) noexcept : world_(world), box_(box) {}
    signal_dispatcher(const signal_dispatcher&) = delete;
    signal_dispatcher& operator=(const signal_dispatcher&) = delete;
    /// Brings back the action of every signal that no other loop watches.
    ~signal_dispatcher();

    /// Throws value_error (no such signal), runtime_error (cannot be caught; not in the main thread).
    void add(int signal, std::function<void()> handler, call_options&& options);
    bool remove(int signal) noexcept;
    /// Throws value_error.
    static void require_signal(int signal);
    /// Any number for each signal, beside the handler. Throws as add(), but may be called in any thread.
    void listen(signal_listener& listener);
    void unlisten(signal_listener& listener) noexcept;

    /// Something may have arrived since the last dispatch(). One load.
    bool pending() const noexcept { return arrived_.load() != 0; }
    /// Tells the listeners of what has arrived, and schedules the handlers.
    void dispatch(event_loop& loop);

private:
    struct handler {
        std::shared_ptr<const std::function<void()>> call;
        rondo::context context;
        std::source_location where;
        rondo::handle scheduled; // the latest
    };
    struct entry {
        std::unique_ptr<handler> handler; // may be null
        signal_listener* listeners = nullptr;
    };
    void signal_arrived(int signal) noexcept override;
    entry& entry_for(int signal);
    void drop_if_unused(int signal) noexcept;

    backend& world_;
    inbox& box_;
    std::map<int, entry> entries_; // of the signals that are watched
    std::atomic<std::uint64_t> arrived_{0};
};

} // namespace rondo::detail
