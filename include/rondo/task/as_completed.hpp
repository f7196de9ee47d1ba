// as_completed(): futures in the order in which they are done.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/detail/completion_core.hpp>
#include <rondo/task/future.hpp>
#include <rondo/task/wait.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace rondo {

namespace detail {

template <class H> class [[nodiscard]] completion_awaiter final
    : public leaf_awaiter<completion_awaiter<H>, std::optional<H>, completion_waiter> {
    using base = leaf_awaiter<completion_awaiter<H>, std::optional<H>, completion_waiter>;
    friend base;

public:
    explicit completion_awaiter(completion_core& of) noexcept : base(of) {}

private:
    std::optional<H> value() {
        counted_ptr<future_state> next = this->take();
        return next ? std::optional<H>(H(std::move(next))) : std::nullopt;
    }
};

} // namespace detail

/// Gives the handles one by one, each of them done. It can be left and gone on with. Movable, but not during a next(). Destroying
/// it cancels nothing.
template <class H> class [[nodiscard]] completion_iterator {
public:
    explicit completion_iterator(std::unique_ptr<detail::completion_core> core) noexcept : core_(std::move(core)) {}

    /// nullopt after the last. Suspends while none is done; one at a time, a second one throws runtime_error. When time is up
    /// and none is done: timeout_error. Cancelled, it cancels nothing and loses nothing: the next next() gives the same handle.
    detail::completion_awaiter<H> next() { return detail::completion_awaiter<H>(*core_); }

private:
    std::unique_ptr<detail::completion_core> core_;
};

/// Watches the futures from now on; the timeout counts from now on too. A handle that is given twice comes once, those that are
/// done already come first, in the order of the arguments. Nothing is cancelled, nothing that they hold is thrown. A null
/// handle: type_error; futures of different loops: value_error. O(n log n). (asyncio.as_completed, Python 3.13)
///
///     auto done = rondo::as_completed(downloads, 10s);
///     while (auto download = co_await done.next()) use(download->result());
template <future_like H> completion_iterator<H> as_completed(std::vector<H> futures, delay timeout = no_timeout) {
    return completion_iterator<H>(std::make_unique<detail::completion_core>(detail::states_of(futures), timeout));
}
/// Starts a task for each of the coroutines, in their order, and gives those tasks. Inside a running loop.
template <class T>
completion_iterator<task<T>> as_completed(std::vector<coro<T>> coros, delay timeout = no_timeout) {
    std::vector<task<T>> tasks;
    tasks.reserve(coros.size());
    for (coro<T>& c : coros) tasks.push_back(create_task(std::move(c)));
    return as_completed(std::move(tasks), timeout);
}

} // namespace rondo
