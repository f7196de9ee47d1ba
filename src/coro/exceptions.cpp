#include <rondo/coro/exceptions.hpp>

#include <rondo/coro/detail/chain_exceptions.hpp>
#include <rondo/coro/detail/exception_cast.hpp>

#include "coro/without_memory.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace rondo {

base_exception::base_exception() = default;
base_exception::base_exception(std::string message) : message_(std::move(message)) {}
base_exception::base_exception(const base_exception&) = default;
base_exception& base_exception::operator=(const base_exception&) = default;
base_exception::~base_exception() = default;
const char* base_exception::what() const noexcept { return message_.c_str(); }

cancelled_error::cancelled_error() : base_exception("cancelled") {}
cancelled_error::cancelled_error(std::string message)
    : base_exception(message.empty() ? "cancelled" : "cancelled: " + message), text_(std::move(message)) {}

system_exit::system_exit(int code) : base_exception("exit with status " + std::to_string(code)), code_(code) {}

std::exception_ptr cause_of(const std::exception_ptr& error) noexcept {
    const auto* nested = detail::exception_cast<std::nested_exception>(error);
    return nested ? nested->nested_ptr() : nullptr;
}

namespace detail {

cancelled_error cancelled_access::make(std::string message, const void* scope) {
    cancelled_error error(std::move(message));
    error.scope_ = scope;
    return error;
}

std::string text_if_possible(std::string_view text) noexcept {
    return text_or_nothing([&] { return std::string(text); });
}

std::exception_ptr cancellation(std::string_view message, const void* scope) noexcept {
    const std::exception_ptr told =
        error_or_obstacle([&] { return std::make_exception_ptr(cancelled_access::make(std::string(message), scope)); });
    return is_cancellation(told) ? told : std::make_exception_ptr(cancelled_access::make({}, scope));
}

namespace {

std::string demangle(const char* name) {
    int status = 0;
    std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
    return status == 0 ? std::string(text.get()) : std::string(name);
}

} // namespace

std::string describe_exception(const std::exception_ptr& error) {
    if (!error) return "no error";
    std::string text = demangle(type_of(error).name());
    if (const auto* e = exception_cast<std::exception>(error)) return text + ": " + e->what();
    if (const auto* e = exception_cast<base_exception>(error)) return text + ": " + e->what();
    return text;
}

} // namespace detail
} // namespace rondo
