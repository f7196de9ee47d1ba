// host: a machine of a simulated world, with addresses, a program and power that can fail.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/options.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/task.hpp>

#include <exception>
#include <functional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace rondo::sim {

/// The host is down, or has crashed while somebody waited for what ran on it.
class host_down_error : public runtime_error {
public:
    using runtime_error::runtime_error;
};

/// Made by simulated_world::add_host(), gone with the run. Which host a task is on follows it as a context variable does: the tasks
/// that it makes are there too, and so are the sockets that it opens. Hosts share an event loop and, since they are one test, a
/// memory; a program that is to be crashed should share nothing with others but the network. Functions are for the loop's thread,
/// and O(1) where nothing else is said.
///
///     auto& store = rondo::sim::world().add_host("store", "10.0.0.2");
///     store.start([] { return serve_store(); });
///     auto stored = co_await rondo::sim::world().add_host("client").run(put("store", "key", "value"));
///     store.crash();
class host {
public:
    host(const host&) = delete;
    host& operator=(const host&) = delete;

    const std::string& name() const noexcept;
    /// The first of its addresses: "10.0.0.2". Empty: it has none but its loopback.
    std::string ip() const;
    bool is_up() const noexcept;

    /// Its program, which begins in the next pass and again after each restart(). What it throws is told to the exception handler.
    /// When the body of the run has ended the host is switched off, as if it had crashed. While a program runs: runtime_error;
    /// on a host that is down: host_down_error, here and in what follows.
    void start(std::function<coro<>()> program, std::source_location where = std::source_location::current());
    /// A task of this host.
    template <class T>
    task<T> spawn(coro<T> body, std::source_location where = std::source_location::current()) {
        return create_task(std::move(body), options_here(where));
    }
    /// The same, awaited: its value or error. Cancelled, it cancels the task. host_down_error: the host has crashed.
    template <class T> coro<T> run(coro<T> body, std::source_location where = std::source_location::current()) {
        result<T> outcome = co_await as_result(spawn(std::move(body), where));
        if (!outcome) rethrow(outcome.error());
        if constexpr (!std::is_void_v<T>) co_return *std::move(outcome);
    }

    /// The power fails. From now on nothing that the host does has any effect: its connections fall silent, and nobody is told of
    /// that. What is on its way to others still arrives. Before the next pass its tasks are destroyed where they stand, innermost
    /// frame first: destructors run, and nothing else does, neither a catch clause nor a finally(). A task that crashes its own
    /// host goes on to its next suspension. Its timers are forgotten. A protocol is told that its connection is lost, and what a
    /// thread was given by run_in_executor() still runs; neither reaches anybody. Down already: nothing. The host of the body:
    /// runtime_error. O(tasks and sockets of the world).
    void crash();
    /// The power comes back; up, it crashes first. Its program begins in the next pass.
    void restart();

protected:
    host() = default;
    ~host() = default;

private:
    task_options options_here(std::source_location where) const;
    [[noreturn]] void rethrow(const std::exception_ptr& error) const;
};

/// The host of the running task; outside of a simulated run: runtime_error.
host& this_host();

} // namespace rondo::sim
