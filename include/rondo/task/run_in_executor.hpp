// event_loop::run_in_executor(): blocking work in an executor of one's choice, as a future.
#pragma once

#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/thread_call.hpp>
#include <rondo/task/future.hpp>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

/// Between a call and its future, from the start to the first of them that ends. It owns itself.
class call_future : private outcome_owner, private done_node {
public:
    call_future(const call_future&) = delete;
    call_future& operator=(const call_future&) = delete;

    void start(event_loop& loop, executor* where);

protected:
    call_future(std::shared_ptr<thread_call> call, counted_ptr<future_state> to) noexcept
        : done_node(&done), call_(std::move(call)), future_(std::move(to)) {}
    virtual ~call_future() = default;

    std::shared_ptr<thread_call> call_;
    counted_ptr<future_state> future_;

private:
    virtual void transfer() noexcept = 0;
    void call_ended() noexcept override;
    void call_abandoned() noexcept override;
    static void done(done_node& node, future_state& of) noexcept;
};

template <class R> class call_future_for final : public call_future {
public:
    call_future_for(std::shared_ptr<thread_call_for<R>> call, const future<R>& to) noexcept
        : call_future(std::move(call), counted_ptr<future_state>(to.state())) {}

private:
    void transfer() noexcept override {
        result<R>& outcome = static_cast<thread_call_for<R>&>(*call_).outcome;
        if (std::exception_ptr error = outcome.take_error()) {
            future_->settle_error(std::move(error));
            return;
        }
        try {
            auto& state = static_cast<future_of<R>&>(*future_);
            if constexpr (std::is_void_v<R>) state.set_value();
            else state.set_value(*std::move(outcome));
        } catch (...) {
            future_->settle_failed(std::current_exception());
        }
    }
};

} // namespace detail

template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
future<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>
event_loop::run_in_executor(executor* where, F&& fn, Args&&... args) {
    using R = std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>;
    auto call = detail::make_thread_call(std::forward<F>(fn), std::forward<Args>(args)...);
    future<R> outcome = create_future<R>();
    auto* between = new detail::call_future_for<R>(std::move(call), outcome);
    between->start(*this, where);
    return outcome;
}

} // namespace rondo
