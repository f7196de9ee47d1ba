// An exception with a cause, whatever its type.
#pragma once

#include <exception>
#include <typeinfo>

namespace rondo::detail {

/// What std::throw_with_nested does for an exception whose type is known: an exception that every `catch` takes as it would
/// take `error`, which gives the very same object, and whose cause_of() is `cause`. A cause that `error` has already is kept,
/// and has this one at its end (PEP 3134 calls it context). Null `cause`: `error` itself.
///
/// Null when that cannot be: `error` is not of a class, or it is a cancellation, which is told by its type alone. Throws
/// std::bad_alloc. O(length of the chain).
std::exception_ptr chain_exceptions(const std::exception_ptr& error, const std::exception_ptr& cause);

/// The type of an exception before it was given causes.
const std::type_info& type_of(const std::exception_ptr& error) noexcept;

} // namespace rondo::detail
