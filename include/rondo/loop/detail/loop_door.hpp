// The way into a loop for other threads, which may be longer there than the loop.
#pragma once

#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/detail/message.hpp>
#include <rondo/loop/handle.hpp>

#include <atomic>
#include <memory>
#include <type_traits>
#include <utility>

namespace rondo::detail {

/// Shared by a loop and the threads that work for it. Whoever enters finds the loop open, and close() waits until he has
/// left; after that everybody finds the door shut, also when the loop is gone.
///
/// The invariant: a visitor counts himself before he looks at the loop, close() takes the loop away before it looks at the
/// count, all sequentially consistent. So either close() sees the visitor, or the visitor sees that it is closed.
class loop_door {
public:
    explicit loop_door(event_loop& loop) noexcept : loop_(&loop) {}
    loop_door(const loop_door&) = delete;
    loop_door& operator=(const loop_door&) = delete;

    /// Any thread. Calls visit(loop), which must be short; false: the loop is closed.
    template <class F> bool enter(F&& visit) {
        struct visitor {
            std::atomic<unsigned>& count;
            explicit visitor(std::atomic<unsigned>& c) noexcept : count(c) { count.fetch_add(1); }
            ~visitor() { count.fetch_sub(1); }
        } here(visitors_);
        event_loop* loop = loop_.load();
        if (!loop) return false;
        visit(*loop);
        return true;
    }
    /// Any thread. fn() is called in the loop's thread, in a pass, as by call_soon_threadsafe(). False: the loop is closed. An
    /// fn that will not be called is destroyed.
    template <class F> bool post(F&& fn) {
        return enter([&](event_loop& loop) {
            auto* c = new callback_of<std::decay_t<F>, callback>(loop, std::forward<F>(fn), call_options{}, true);
            loop_access::push_from_outside(loop, *c);
        });
    }
    /// Any thread. The same, without an allocation: what is on its way back must not be lost for want of memory.
    template <class T> bool post(message_of<T>& m, std::shared_ptr<T> owner) noexcept {
        m.keep(std::move(owner));
        if (enter([&](event_loop& loop) { loop_access::push_from_outside(loop, m); })) return true;
        m.lose();
        return false;
    }
    /// The loop's thread, once.
    void shut() noexcept;

private:
    std::atomic<event_loop*> loop_;
    std::atomic<unsigned> visitors_{0};
};

} // namespace rondo::detail
