// The threads of run_sharded(), whatever their mains yield.
#pragma once

#include <rondo/loop/detail/spawn_arguments.hpp>
#include <rondo/task/shard.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace rondo {

struct sharded_options;

namespace detail {

class shard_group {
public:
    /// Makes the loops. `n`: 0 is one for each processor that this thread may use.
    shard_group(std::size_t n, const sharded_options& options);
    shard_group(const shard_group&) = delete;
    shard_group& operator=(const shard_group&) = delete;
    ~shard_group();

    std::size_t size() const noexcept { return members_.size(); }
    shard& operator[](std::size_t i) const noexcept;
    /// start(shard) makes the main task in the shard's thread, collect(shard, task) takes its value there when it is done, or
    /// throws. Returns when every loop is closed and every thread has ended. Throws what run_sharded() throws.
    void run(std::function<task_base(shard&)> start, std::function<void(shard&, const task_base&)> collect);

private:
    struct member;
    struct end_of_watch;
    void run_member(member& m);
    void run_thread(member& m) noexcept;
    void failed(member& m, std::exception_ptr error);
    void interrupted(member& first, int times);
    void cancel_others(const member& but, const char* why) noexcept;
    void watch_over_others();
    void throw_errors();

    std::function<task_base(shard&)> start_;
    std::function<void(shard&, const task_base&)> collect_;
    std::vector<std::unique_ptr<member>> members_;
    bool handle_sigint_;
    std::vector<int> processors_; // to pin to; none: no pinning
    std::mutex mutex_;            // for what follows
    std::size_t living_ = 0;      // threads that have not ended, without the calling one
    std::shared_ptr<end_of_watch> watcher_;
    bool stopping_ = false;
    bool interrupted_ = false;
    std::vector<std::exception_ptr> errors_;
};

/// A copy of main, for one shard.
template <class F> struct shard_main {
    F fn;
    shard* self;
    RONDO_CORO_WRAPPER decltype(auto) operator()() { return call_body(fn, *self); }
};

} // namespace detail
} // namespace rondo
