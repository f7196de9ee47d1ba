#include <rondo/task/async_exit_stack.hpp>

#include <rondo/coro/debug.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/replaced_by.hpp>
#include <rondo/task/detail/uninterrupted.hpp>

#include <string>

namespace rondo {

async_exit_stack::async_exit_stack() = default;
async_exit_stack::async_exit_stack(async_exit_stack&& other) noexcept = default;
async_exit_stack& async_exit_stack::operator=(async_exit_stack&& other) noexcept {
    std::swap(steps_, other.steps_);
    return *this;
}

async_exit_stack::~async_exit_stack() {
    if (steps_.empty()) return;
    const event_loop* loop = running_loop_or_null();
    if (loop ? loop->debug() : detail::debug_environment())
        detail::report_line("an async_exit_stack was destroyed with " + std::to_string(steps_.size()) +
                            " steps left, without aclose()");
}

async_exit_stack async_exit_stack::pop_all() noexcept { return std::move(*this); }

coro<std::exception_ptr> async_exit_stack::leave_all(std::exception_ptr error, finally_options options) {
    if (steps_.empty()) co_return error;
    detail::uninterrupted stretch;
    const deadline until = detail::deadline_after(clock::now(), options.cleanup_timeout);
    while (!steps_.empty()) {
        const auto step = std::move(steps_.back());
        steps_.pop_back();
        const delay left = until ? delay(*until - clock::now()) : delay(no_timeout);
        auto swallowed = co_await as_result(detail::in_time(left, step->leave(error)));
        if (!swallowed) error = detail::replaced_by(swallowed.error(), error);
        else if (*swallowed) error = nullptr;
    }
    co_return error;
}

coro<void> async_exit_stack::aclose(finally_options options) {
    if (auto error = co_await leave_all(nullptr, options)) std::rethrow_exception(std::move(error));
}

} // namespace rondo
