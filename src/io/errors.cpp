#include <rondo/io/errors.hpp>

#include <rondo/task/errors.hpp>

#include <cerrno>

namespace rondo {

namespace {

std::string incomplete(std::size_t got, std::optional<std::size_t> expected) {
    const std::string wanted =
        expected ? std::to_string(*expected) + " bytes were expected" : "a separator was expected";
    return "the stream ended after " + std::to_string(got) + " bytes, " + wanted;
}

template <class E> std::exception_ptr make(int error_number, const std::string& what) {
    return std::make_exception_ptr(E(std::error_code(error_number, std::system_category()), what));
}

} // namespace

incomplete_read_error::incomplete_read_error(rondo::bytes partial, std::optional<std::size_t> expected)
    : std::runtime_error(incomplete(partial.size(), expected)), partial_(std::move(partial)), expected_(expected) {}

namespace detail {

std::exception_ptr os_error(int error_number, const std::string& what) {
    switch (error_number) {
    case EPIPE:
    case ESHUTDOWN: return make<broken_pipe_error>(error_number, what);
    case ECONNRESET: return make<connection_reset_error>(error_number, what);
    case ECONNABORTED: return make<connection_aborted_error>(error_number, what);
    case ECONNREFUSED: return make<connection_refused_error>(error_number, what);
    case ESRCH: return make<process_lookup_error>(error_number, what);
    case ETIMEDOUT: return std::make_exception_ptr(timeout_error(what));
    default: return make<std::system_error>(error_number, what);
    }
}

void throw_os_error(int error_number, const std::string& what) { std::rethrow_exception(os_error(error_number, what)); }

} // namespace detail
} // namespace rondo
