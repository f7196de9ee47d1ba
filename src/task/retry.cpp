#include <rondo/task/retry.hpp>

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/exception_group.hpp>

#include "loop/backend/backend.hpp"

#include <algorithm>

namespace rondo::detail {

namespace {

/// A cancellation, an interrupt, an exit request; also as one of several errors.
bool must_go_on(const std::exception_ptr& error) {
    if (const auto* group = exception_cast<exception_group>(error)) return group->has_base();
    return exception_cast<base_exception>(error) != nullptr;
}

double between_0_and_1(std::uint64_t random) noexcept {
    return static_cast<double>(random >> 11) * 0x1p-53; // 53 bits: what a double holds
}

} // namespace

retry_state::retry_state(retry_policy policy)
    : policy_(std::move(policy)), next_(static_cast<double>(policy_.initial.count())) {
    if (policy_.attempts == 0) throw value_error("retry() needs at least one attempt");
    if (policy_.initial < duration::zero() || policy_.maximum < duration::zero())
        throw value_error("the pauses of a retry() cannot be negative");
    if (!(policy_.factor >= 1.0)) throw value_error("the factor of a retry() must be at least 1");
    if (!(policy_.jitter >= 0.0 && policy_.jitter <= 1.0))
        throw value_error("the jitter of a retry() lies between 0 and 1");
}

bool retry_state::again(const std::exception_ptr& error) {
    if (++failures_ >= policy_.attempts || must_go_on(error)) return false;
    return !policy_.retry_if || policy_.retry_if(error);
}

duration retry_state::pause() {
    const double longest = static_cast<double>(policy_.maximum.count());
    const double whole = std::min(next_, longest);
    next_ = std::min(next_ * policy_.factor, longest);
    const double taken_away = policy_.jitter * between_0_and_1(loop_access::backend(running_loop()).random());
    return duration(static_cast<duration::rep>(whole * (1.0 - taken_away)));
}

} // namespace rondo::detail
