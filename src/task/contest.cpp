#include <rondo/task/detail/contest.hpp>

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/task/detail/current.hpp>
#include <rondo/task/detail/scope_tree.hpp>
#include <rondo/task/detail/task_record.hpp>

namespace rondo::detail {

void rethrow_request_to_end(const std::exception_ptr& error) {
    if (!error) return;
    const task_record& self = current_record();
    const bool asked = self.cancelling() > 0 || scope_node::is_cancelled(self.scope);
    if (is_exit_request(error) || (asked && is_cancellation(error))) std::rethrow_exception(error);
}

void report_loser(const std::exception_ptr& error) {
    if (!error || is_cancellation(error)) return;
    loop_access::report(running_loop(),
                        {.message = "one that had lost to another failed while it ended", .exception = error});
}

} // namespace rondo::detail
