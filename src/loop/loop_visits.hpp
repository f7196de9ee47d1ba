// Other threads that want to look at something of a loop's, and wait until they have seen it.
//
// A loop is at home in the thread that ran it last, or made it: that may do anything to it, also between two runs, without a word.
// The invariant: whoever looks holds the mutex, and does it at home, between two callbacks, or the loop's home has ended, and no
// thread can begin to run it. So what a loop does in its passes needs no lock and no atomic operation; the mutex is taken
// when a run begins or ends, and by those who look.
#pragma once

#include <rondo/loop/clock.hpp>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

namespace rondo::detail {

class loop_door;

enum class visit_outcome { seen, closed, too_late };

class loop_visits : public std::enable_shared_from_this<loop_visits> {
public:
    /// At home in this thread.
    loop_visits();

    // The thread that runs the loop.
    void run_begins();
    /// Lets in who waits: the loop may never run again.
    void run_ends() noexcept;
    void close_begins();
    void close_ends() noexcept;

    /// Any thread but the one that runs the loop. Calls look(here?), which must be short, and gives on what it throws. Waits for
    /// the loop to come round where that is needed; `timeout` is for that. runtime_error when a loop of this thread would wait.
    visit_outcome visit(loop_door& door, std::function<void(bool here)> look, delay timeout);

private:
    struct visitor {
        std::function<void(bool here)> look;
        std::exception_ptr error = nullptr;
        bool seen = false;
    };
    struct doorbell;
    void let_in() noexcept;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::list<visitor*> waiting_;
    std::shared_ptr<const std::atomic<bool>> home_; // what it points to turns false when the thread ends
    bool running_ = false;
    bool closed_ = false;
};

} // namespace rondo::detail
