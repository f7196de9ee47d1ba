// What a loop knows of the program's own descriptors: the callbacks of add_reader() and add_writer(), and who else waits.
//
// A watch goes round: its poll operation waits (waiting), then it stands in the ready queue (queued), then its callback runs
// (running), then it waits again. So it is called once in a pass, as long as the descriptor is ready. One that was removed
// goes on to the next of these points and dies there.
#pragma once

#include <rondo/loop/context.hpp>
#include <rondo/loop/detail/descriptor_waiter.hpp>
#include <rondo/loop/detail/ready_queue.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

namespace rondo::detail {

enum class readiness : std::uint8_t { readable, writable };

/// Belongs to the loop's thread.
class descriptor_watches {
public:
    explicit descriptor_watches(event_loop& loop) noexcept : loop_(loop) {}
    descriptor_watches(const descriptor_watches&) = delete;
    descriptor_watches& operator=(const descriptor_watches&) = delete;
    /// After the operations of the backend have ended, and nothing of it is in the ready queue.
    ~descriptor_watches();

    /// Replaces the one before. value_error: negative; std::system_error: not open.
    void set(int fd, readiness what, std::function<void()> call, call_options&& options);
    bool remove(int fd, readiness what) noexcept;

    /// Throws as set().
    void make_room(int fd);
    void add(descriptor_waiter& waiter) noexcept;
    void erase(descriptor_waiter& waiter) noexcept;

    /// Removes the callbacks and tells the waiters.
    void notify_closing(int fd) noexcept;
    /// The loop closes: removes all callbacks, and takes no more.
    void end() noexcept;

private:
    class watch;
    struct entry {
        std::array<watch*, 2> watches{};
        descriptor_waiter* waiters = nullptr;
    };
    entry* find(int fd) noexcept;
    void destroy(watch& w) noexcept;

    event_loop& loop_;
    std::vector<entry> entries_; // by number
    watch* all_ = nullptr;       // removed ones too
    bool ended_ = false;
};

} // namespace rondo::detail
