// Waiting that cannot be called off: for work that must not be left half done.
#pragma once

#include <rondo/rondo.hpp>

namespace mayhem {

/// The outcome of a task, whoever asks the awaiting task to stop meanwhile: neither a cancelled scope nor task::cancel() ends
/// this wait, and the cancellation is taken for answered, since the work came to its end. A scope that was cancelled goes on
/// to cancel whatever is awaited next.
template <class T> rondo::coro<T> see_through(rondo::task<T> work) {
    co_await rondo::cancel_scope({.shield = true}).run([&]() -> rondo::coro<> {
        while (!work.done()) (void)co_await rondo::as_result(rondo::wait({work}));
    });
    co_return work.take();
}

} // namespace mayhem
