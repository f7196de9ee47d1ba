// Running programs: run() and runner.
#pragma once

#include <rondo/loop/event_loop.hpp>
#include <rondo/loop/options.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/instrument.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace rondo {

struct run_options {
    std::optional<bool> debug = std::nullopt; // not set: RONDO_DEBUG
    std::function<std::unique_ptr<event_loop>()> loop_factory = nullptr;
    bool handle_sigint = true; // only in the main thread, and where SIGINT has its default action
    std::vector<std::shared_ptr<instrument>> instruments = {};
    std::optional<bool> watchdog = std::nullopt;      // a thread that tells of stalls; not set: RONDO_WATCHDOG
    std::optional<duration> busy_poll = std::nullopt; // loop_options::busy_poll; not set: as the loop was made
};
struct runner_run_options {
    std::optional<rondo::context> context = std::nullopt; // not set: the runner's own, the same for all its runs
};

/// A loop, for several runs, made on first use and closed at the end (PEP 3156; asyncio.Runner).
///
/// SIGINT cancels the main task; when that makes it end as cancelled, and nobody else cancelled it, run() throws
/// keyboard_interrupt. A second SIGINT is thrown at once, out of the loop. What is left at close() is cancelled and awaited.
class runner {
public:
    runner();
    explicit runner(run_options options);
    runner(const runner&) = delete;
    runner& operator=(const runner&) = delete;
    /// close()
    ~runner();

    /// Runs until main is done and gives its value or throws its error. runtime_error inside a running loop, or closed.
    template <class T> T run(coro<T> main, runner_run_options options = {}) {
        prepare();
        task<T> t = detail::launch(*loop_, {.name = {}, .context = options.context ? *options.context : *context_},
                                   std::move(main));
        return finish(std::move(t));
    }
    template <future_like H> await_result_t<H&> run(H handle) {
        prepare();
        run_main(handle);
        return handle.result();
    }
    template <class F, RONDO_SPAWN_TYPES> started_t<F, RONDO_SPAWNED> run(F&& main, RONDO_SPAWN_ARGS) {
        prepare();
        return finish(detail::launch_call(*loop_, {.name = {}, .context = context_, .where = where},
                                          std::forward<F>(main), RONDO_SPAWN_FORWARD));
    }
    event_loop& loop();
    /// Idempotent.
    void close();

private:
    template <class T> T finish(task<T> t) {
        run_main(t);
        return t.take();
    }
    void prepare();
    void run_main(const future_base& main);

    run_options options_;
    std::unique_ptr<event_loop> loop_;
    std::optional<rondo::context> context_;
    bool closed_ = false;
};

/// Runs a coroutine in a new loop, then closes the loop. The way to start a program.
///
///     int main() { return rondo::run(serve, 8080); }
template <class T> T run(coro<T> main, run_options options = {}) {
    return runner(std::move(options)).run(std::move(main));
}
template <class F, RONDO_SPAWN_TYPES> started_t<F, RONDO_SPAWNED> run(F&& main, RONDO_SPAWN_ARGS) {
    return runner().run(std::forward<F>(main), RONDO_SPAWN_FORWARD, where);
}
template <class F, RONDO_SPAWN_TYPES>
started_t<F, RONDO_SPAWNED> run(run_options options, F&& main, RONDO_SPAWN_ARGS) {
    return runner(std::move(options)).run(std::forward<F>(main), RONDO_SPAWN_FORWARD, where);
}

namespace detail {
/// Runs the loop until `f` is done. runtime_error when it was stopped before.
void run_until_done(event_loop& loop, future_state& f);
} // namespace detail

template <class T> T event_loop::run_until_complete(coro<T> main) {
    check_can_run();
    task<T> t = detail::launch(*this, task_options{}, std::move(main));
    detail::run_until_done(*this, *t.state());
    return t.take();
}
template <future_like H> await_result_t<H&> event_loop::run_until_complete(H handle) {
    if (!handle) throw type_error("a null handle cannot be run");
    detail::run_until_done(*this, *handle.state());
    return handle.result();
}

} // namespace rondo
