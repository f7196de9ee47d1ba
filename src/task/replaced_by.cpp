#include <rondo/task/detail/replaced_by.hpp>

#include <rondo/coro/detail/chain_exceptions.hpp>
#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/loop/event_loop.hpp>

namespace rondo::detail {

std::exception_ptr replaced_by(const std::exception_ptr& cleanup_error, const std::exception_ptr& error) {
    if (std::exception_ptr chained = chain_exceptions(cleanup_error, error)) return chained;
    if (!is_cancellation(error))
        loop_access::report(running_loop(),
                            {.message = "an error was replaced by the one that its cleanup threw", .exception = error});
    return cleanup_error;
}

} // namespace rondo::detail
