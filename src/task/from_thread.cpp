#include <rondo/task/from_thread.hpp>

#include <rondo/task/detail/thread_call.hpp>

namespace rondo {

namespace {

const detail::thread_call& call_of_this_thread() {
    if (const detail::thread_call* call = detail::thread_call::current()) return *call;
    throw runtime_error("from_thread works only in a thread that to_thread() or run_in_executor() has started");
}

} // namespace

std::shared_ptr<detail::loop_door> detail::door_of_this_thread() { return call_of_this_thread().door(); }

void from_thread::check_cancelled() {
    if (call_of_this_thread().cancel_requested()) throw cancelled_error();
}

} // namespace rondo
