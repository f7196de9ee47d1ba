// Looks into an exception_ptr without throwing it: a rethrow with its catch costs about a microsecond, this a few
// nanoseconds. It rests on two facts of libstdc++: exception_ptr is one pointer to the exception object, and
// type_info::__do_catch answers what a catch clause would.
#pragma once

#include <rondo/coro/exceptions.hpp>

#include <bit>
#include <exception>
#include <typeinfo>

namespace rondo::detail {

/// The exception as an E, or null when `catch (const E&)` would not take it. Valid as long as `error` lives.
template <class E> const E* exception_cast(const std::exception_ptr& error) noexcept {
    if (!error) return nullptr;
    const std::type_info* thrown = error.__cxa_exception_type();
    static_assert(sizeof(std::exception_ptr) == sizeof(void*));
    void* object = std::bit_cast<void*>(*reinterpret_cast<void* const*>(&error));
    if (typeid(E).__do_catch(thrown, &object, 1)) return static_cast<const E*>(object);
    return nullptr;
}

inline bool is_cancellation(const std::exception_ptr& error) noexcept {
    return error && *error.__cxa_exception_type() == typeid(cancelled_error);
}

/// A keyboard_interrupt or a system_exit: it ends a task and the loop that runs it (asyncio, PEP 3156).
inline bool is_exit_request(const std::exception_ptr& error) noexcept {
    return exception_cast<keyboard_interrupt>(error) != nullptr || exception_cast<system_exit>(error) != nullptr;
}

/// A readable line for any exception: "std::runtime_error: what it said".
std::string describe_exception(const std::exception_ptr& error);

} // namespace rondo::detail
