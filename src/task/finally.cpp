#include <rondo/task/finally.hpp>

#include <rondo/loop/detail/loop_state.hpp>

namespace rondo::detail {

void report_replaced(const std::exception_ptr& error) {
    if (!error || is_cancellation(error)) return;
    loop_access::report(running_loop(),
                        {.message = "an error was replaced by the one that its cleanup threw", .exception = error});
}

} // namespace rondo::detail
