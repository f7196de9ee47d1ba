// wrap_future(): awaiting a concurrent_future.
#pragma once

#include <rondo/loop/detail/message.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/concurrent_future.hpp>
#include <rondo/task/detail/loop_guest.hpp>
#include <rondo/task/future.hpp>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

class loop_door;

/// Between a concurrent_future and its mirror, until one of them is done.
class future_mirror : public loop_guest, private done_node {
public:
    void begin(event_loop& loop);

protected:
    future_mirror(std::shared_ptr<concurrent_state> of, counted_ptr<future_state> to) noexcept
        : done_node(&done), of_(std::move(of)), to_(std::move(to)) {}

    std::shared_ptr<concurrent_state> of_; // like `to_` for the loop's thread alone, and null once it is over
    counted_ptr<future_state> to_;

private:
    virtual void transfer_value() = 0;
    void arrived() noexcept;
    void abandon() noexcept override;
    static void done(done_node& node, future_state& to) noexcept;
    message_of<future_mirror> outcome_{&future_mirror::arrived};
};

template <class T> class future_mirror_for final : public future_mirror {
public:
    future_mirror_for(const concurrent_future<T>& of, const future<T>& to) noexcept
        : future_mirror(of.state(), counted_ptr<future_state>(to.state())) {}

private:
    void transfer_value() override {
        auto& mirror = static_cast<future_of<T>&>(*to_);
        if constexpr (std::is_void_v<T>) mirror.set_value();
        else mirror.set_value(static_cast<concurrent_state_of<T>&>(*of_).take());
    }
};

} // namespace detail

/// A future of the running loop that gets what `cf` gets; cancelling it cancels `cf`. When the loop closes first, it is cancelled
/// and `cf` goes on. A value that cannot be copied is moved out of `cf`. (asyncio.wrap_future)
template <class T> [[nodiscard]] future<T> wrap_future(concurrent_future<T> cf) {
    event_loop& loop = running_loop();
    future<T> mirror = loop.create_future<T>();
    std::make_shared<detail::future_mirror_for<T>>(cf, mirror)->begin(loop);
    return mirror;
}

} // namespace rondo
