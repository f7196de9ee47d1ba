// timeout_error: what a timeout throws.
#pragma once

#include <exception>
#include <string>
#include <system_error>

namespace rondo {

/// errno ETIMEDOUT, as Python's TimeoutError is an OSError. When it replaced a cancellation, cause_of() gives that.
class timeout_error : public std::system_error {
public:
    timeout_error();
    explicit timeout_error(const std::string& message);
};

namespace detail {
/// A timeout_error nested around what it replaces (may be null).
std::exception_ptr make_timeout_error(const std::exception_ptr& instead_of);
} // namespace detail

} // namespace rondo
