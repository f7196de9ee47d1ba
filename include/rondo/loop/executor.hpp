// Where blocking work goes: an executor, and the thread pool that is the default one.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace rondo {

/// Runs work somewhere else. submit() may be called from any thread; work must not throw.
class executor {
public:
    virtual ~executor();
    virtual void submit(std::function<void()> work) = 0;
};

/// Threads named NAME-0, NAME-1, ..., started as work needs them and kept: `threads` at most; 0: processors + 4, 32 at most
/// (concurrent.futures). They block every signal. Work begins in the order of submit(); what it throws ends the process.
///
/// Made inside of a simulated run it has no threads: its work is done in virtual time, as to_thread()'s is.
///
/// The destructor waits until everything submitted is done; work may destroy its own pool. In the child of a fork(), which
/// has no such threads, submit() throws runtime_error. std::system_error when not even a first thread can be started.
///
///     rondo::thread_pool pool(4, "disk");
///     loop.run_in_executor(&pool, [] { return checksum("big.iso"); });
class thread_pool : public executor {
public:
    explicit thread_pool(std::size_t threads = 0, std::string_view name = "rondo");
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() override;
    void submit(std::function<void()> work) override;

private:
    struct state;
    std::shared_ptr<state> state_;
    std::shared_ptr<executor> simulated_; // in place of threads
};

} // namespace rondo
