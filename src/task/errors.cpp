#include <rondo/task/errors.hpp>

namespace rondo {

timeout_error::timeout_error() : std::system_error(std::make_error_code(std::errc::timed_out)) {}
timeout_error::timeout_error(const std::string& message)
    : std::system_error(std::make_error_code(std::errc::timed_out), message) {}

std::exception_ptr detail::make_timeout_error(const std::exception_ptr& instead_of) {
    if (!instead_of) return std::make_exception_ptr(timeout_error());
    try {
        std::rethrow_exception(instead_of);
    } catch (...) {
        try {
            std::throw_with_nested(timeout_error());
        } catch (...) {
            return std::current_exception();
        }
    }
}

} // namespace rondo
