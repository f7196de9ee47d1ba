// instrument: being told what a loop does, as it does it.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/task/task.hpp>

#include <memory>

namespace rondo {

/// Hooks that a loop calls in its own thread; derive, override those that matter, install. A loop without instruments pays one
/// branch that is never taken for each task that is spawned, made ready or ends, and for each wait, and nothing for a step.
/// (trio.abc.Instrument)
///
/// A hook looks. It is called in the middle of things, in make-ready and in the end of a task, and must not wait, cancel, set a
/// future or close the loop; installing and removing instruments is fine. What a hook throws goes to the loop's exception
/// handler, in the next pass, and its instrument is removed; the loop and the other instruments go on.
///
///     struct counter : rondo::instrument {
///         int steps = 0;
///         void before_task_step(const rondo::any_task&) override { ++steps; }
///     };
///     rondo::run({.instruments = {std::make_shared<counter>()}}, serve, 8080);
class instrument {
public:
    instrument() = default;
    instrument(const instrument&) = delete;
    instrument& operator=(const instrument&) = delete;
    virtual ~instrument();

    /// A run of the loop begins (run(), run_forever(), one run_once()), and it ends. The passes of close() are one run.
    virtual void before_run() {}
    virtual void after_run() {}
    /// The task exists; before its first step, also before an eager one.
    virtual void task_spawned(const any_task&) {}
    /// It will make a step in the next pass. Not called for the first step of an eager task.
    virtual void task_scheduled(const any_task&) {}
    /// Around each step, from where the task was resumed to where it waits again. A task that spawns an eager one is in the
    /// middle of its own step while that makes its first.
    virtual void before_task_step(const any_task&) {}
    virtual void after_task_step(const any_task&) {}
    /// It is done; after those who wait for it were scheduled, before after_task_step().
    virtual void task_exited(const any_task&) {}
    /// Around each poll. 0: only looks what is there; no_timeout: nothing but an event ends it.
    virtual void before_io_wait(delay) {}
    virtual void after_io_wait(delay) {}
};

/// Installs it in the loop, by default in the running one: the hooks are called from now on, those of several instruments in the
/// order of their installation. Twice is once. The loop keeps it until it is removed or the loop is closed. null: type_error;
/// closed: runtime_error. The loop's thread.
void add_instrument(std::shared_ptr<instrument> added);
void add_instrument(event_loop& loop, std::shared_ptr<instrument> added);
/// False: it was not installed, or a hook of it has failed.
bool remove_instrument(const std::shared_ptr<instrument>& removed);
bool remove_instrument(event_loop& loop, const std::shared_ptr<instrument>& removed);

} // namespace rondo
