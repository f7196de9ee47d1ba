// How a cancellation runs along what waits for each other.
#pragma once

#include <rondo/task/detail/future_state.hpp>

#include <string>

namespace rondo::detail {

/// Depth first, and without recursion: who is on the path knows by whom he was asked. Who is on the path is not asked again:
/// a circle of those who wait for each other ends there. Who has asked others once does not ask them a second time, however
/// many lead to him. O(tasks, futures and gathers that are reached, and ways between them).
class cancel_walk {
public:
    cancel_walk() = default;
    cancel_walk(const cancel_walk&) = delete;
    cancel_walk& operator=(const cancel_walk&) = delete;
    ~cancel_walk();

    /// False: it is done, or it is asking just now.
    bool ask(future_state& first, const std::string& message);
    /// It has been asked, and has asked others, in this walk.
    static bool has_asked(const future_state& who) noexcept {
        return who.mark_ == future_state::cancel_mark::has_asked;
    }

private:
    using mark = future_state::cancel_mark;
    future_state::cancel_step begin(future_state& who, const std::string& message);
    void leave_path() noexcept;

    future_state* path_ = nullptr; // the end of the path, linked by asked_by_; held
    future_state* left_ = nullptr; // who has been on it, likewise
};

} // namespace rondo::detail
