// What is said must not stand in the way of what is done: words and errors where there may be no memory for them.
#pragma once

#include <rondo/coro/exceptions.hpp>

#include <exception>
#include <string>
#include <string_view>

namespace rondo::detail {

/// The text, or nothing where there is no memory for it.
std::string text_if_possible(std::string_view text) noexcept;

/// A cancelled_error, in need without its message.
std::exception_ptr cancellation(std::string_view message, const void* scope) noexcept;

/// What make() gives, or the error that came in its way.
template <class F> std::exception_ptr error_or_obstacle(F make) noexcept {
    try {
        return make();
    } catch (...) {
        return std::current_exception();
    }
}
/// The text that make() gives, or nothing.
template <class F> std::string text_or_nothing(F make) noexcept {
    try {
        return make();
    } catch (...) {
        return {};
    }
}

} // namespace rondo::detail
