// run_sharded(): one loop per thread.
#pragma once

#include <rondo/coro/awaitable.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/launch.hpp>
#include <rondo/task/detail/shard_group.hpp>
#include <rondo/task/shard.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo {

struct sharded_options {
    bool pin_threads = false;                 // each to a processor of its own, as far as they go
    std::optional<bool> debug = std::nullopt; // not set: RONDO_DEBUG
    std::function<std::unique_ptr<event_loop>()> loop_factory = nullptr; // called n times, in the calling thread
    bool handle_sigint = true; // only in the main thread, and where SIGINT has its default action
};

/// What main gives, of all shards in their order: a vector, or void.
template <class F> using sharded_t =
    std::conditional_t<std::is_void_v<body_t<F, shard>>, void, std::vector<non_void_t<body_t<F, shard>>>>;

/// Runs n loops, each in a thread of its own and shard 0 in this one, with main(shard) or main() on each of them; 0: as many as
/// there are processors to use. Each shard has a copy of main. A shard ends, and its loop is closed, when its main is done;
/// this returns when all have ended. Blocks the thread; the loops exist before the first main begins and until all have ended.
/// Listeners that are to share one port say {.reuse_port = true} to start_server().
///
/// Structured: the first main that fails cancels the others, and when all have ended its error is thrown; several errors, in the
/// order of their coming, as an exception_group; keyboard_interrupt and system_exit alone. A main that is cancelled by itself
/// has no value: its cancelled_error is an error, as in run(), unless there is another one. What a shard's tasks still throw when
/// its loop is closed goes to its exception handler.
///
/// SIGINT is as in run(): the first one cancels all mains, and when that makes one of them end as cancelled, keyboard_interrupt is
/// thrown; the second one comes out of every loop at once. The other threads block all signals. SIGTERM keeps its action, as
/// in run(): shard 0 may listen for it with a signal_receiver.
///
/// Inside a running loop: runtime_error. std::system_error when a thread cannot be started, or not be pinned: then the mains that
/// had begun were cancelled and have ended.
///
///     rondo::run_sharded(4, [](rondo::shard& self) -> rondo::coro<> {
///         auto server = co_await rondo::start_server(serve, "0.0.0.0", 8080, {.reuse_port = true});
///         co_await server.serve_forever();
///     });
template <class F>
    requires std::copy_constructible<F>
sharded_t<F> run_sharded(std::size_t n, F main, sharded_options options = {}) {
    using R = body_t<F, shard>;
    detail::shard_group group(n, options);
    const std::vector<F> mains(group.size(), main); // copied here, not in several threads at once
    std::vector<std::optional<non_void_t<R>>> values(group.size());
    group.run(
        [&](shard& self) -> task_base {
            return detail::launch_call(self.loop(), {.name = "shard " + std::to_string(self.index())},
                                       detail::shard_main<F>{mains[self.index()], &self});
        },
        [&](shard& self, const task_base& main_task) {
            task<R> ended = main_task.as_task<R>();
            if constexpr (std::is_void_v<R>) ended.take();
            else values[self.index()].emplace(ended.take());
        });
    if constexpr (!std::is_void_v<R>) {
        std::vector<R> all;
        all.reserve(values.size());
        for (auto& value : values) all.push_back(*std::move(value));
        return all;
    }
}

} // namespace rondo
