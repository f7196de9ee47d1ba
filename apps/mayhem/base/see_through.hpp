// Waiting that cannot be called off: for work that must not be left half done.
#pragma once

#include <rondo/rondo.hpp>

namespace mayhem {

/// The outcome of a task, whoever asks the awaiting task to stop meanwhile: neither a cancelled scope nor task::cancel() ends
/// this wait. Both are put off: they cancel whatever is awaited next.
template <class T> rondo::coro<T> see_through(rondo::task<T> work) {
    bool cancelled = false;
    co_await rondo::cancel_scope({.shield = true}).run([&]() -> rondo::coro<> {
        while (!work.done()) cancelled = (co_await rondo::as_result(rondo::wait({work}))).cancelled() || cancelled;
    });
    if (cancelled) {
        rondo::any_task me = rondo::current_task();
        me.uncancel();
        me.cancel();
    }
    co_return work.take();
}

} // namespace mayhem
