// Callbacks of a future: scheduled like any other, when the future is done.
#pragma once

#include <rondo/loop/event_loop.hpp>
#include <rondo/loop/handle.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace rondo::detail {

/// Waits in the future's list until it is done, then in the ready queue. It holds the future only from then on.
class done_callback : public callback, public done_node {
public:
    done_callback(event_loop& loop, call_options&& options) noexcept
        : callback(loop, std::move(options), false), done_node(&done), id_(new_id()) {}
    std::uint64_t id() const noexcept { return id_; }
    static bool is_one(const done_node& node) noexcept { return node.fire == &done; }

protected:
    ~done_callback() = default;
    counted_ptr<future_state> future_;

private:
    static void done(done_node& node, future_state& of) noexcept;
    static std::uint64_t new_id() noexcept;
    std::uint64_t id_;
};

template <class Handle, class F> class done_callback_of final : public done_callback {
public:
    template <class G>
    done_callback_of(event_loop& loop, G&& fn, call_options&& options)
        : done_callback(loop, std::move(options)), fn_(std::forward<G>(fn)) {}
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }

private:
    ~done_callback_of() {}
    void invoke() override { fn_(Handle(std::move(future_))); }
    void drop_callable() noexcept override { std::destroy_at(std::addressof(fn_)); }
    void destroy() noexcept override { delete this; }
    union {
        F fn_;
    };
};

template <class Handle, class F> std::uint64_t add_done_callback(future_state& to, F&& fn, call_options&& options) {
    to.check_thread();
    auto* c = new done_callback_of<Handle, std::decay_t<F>>(to.loop(), std::forward<F>(fn), std::move(options));
    const std::uint64_t id = c->id();
    to.add_done_node(*c);
    return id;
}

bool remove_done_callback(future_state& from, std::uint64_t id);

} // namespace rondo::detail
