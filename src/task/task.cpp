#include <rondo/task/task.hpp>

#include <rondo/task/detail/current.hpp>
#include <rondo/task/detail/task_record.hpp>
#include <rondo/task/errors.hpp>

#include "task/task_snapshot.hpp"

#include <exception>

namespace rondo {

namespace detail {

task_record& current_record() {
    if (task_record* t = current_record_or_null()) return *t;
    throw runtime_error("this needs a running task: call it from a coroutine that a task runs");
}

} // namespace detail

std::exception_ptr future_base::exception() const {
    if (!state_->done()) throw invalid_state_error(state_->label() + " is not done");
    state_->mark_observed();
    if (cancelled()) std::rethrow_exception(state_->error());
    return state_->error();
}

rondo::context task_base::context() const {
    detail::context_ref& own = record().context();
    if (!own) own = rondo::context().state(); // from now on the task and this handle share it
    return rondo::context(own);
}

std::vector<stack_entry> task_base::async_stack() const {
    std::vector<stack_entry> stack;
    const detail::task_record& t = record();
    if (t.done()) return stack;
    for (std::coroutine_handle<> frame = t.innermost; !t.ends_chain(frame);) {
        const detail::frame_header& header = detail::header_of(frame);
        stack.push_back({header.await_at, header.function.function_name()});
        frame = header.continuation;
    }
    return stack;
}

task_base default_task_factory(event_loop& loop, any_coro body, task_options options) {
    return body.make_(loop, std::move(options));
}

task_base eager_task_factory(event_loop& loop, any_coro body, task_options options) {
    if (!options.eager_start) options.eager_start = true;
    return default_task_factory(loop, std::move(body), std::move(options));
}

any_task current_task() {
    event_loop& loop = running_loop();
    return any_task(detail::counted_ptr<detail::future_state>(detail::loop_access::state(loop).current));
}

namespace {

std::vector<any_task> handles_of_tasks(event_loop& loop) {
    std::vector<any_task> tasks;
    for (detail::task_record* t = detail::loop_access::state(loop).oldest_task; t; t = t->newer())
        tasks.emplace_back(detail::counted_ptr<detail::future_state>(t));
    return tasks;
}

} // namespace

std::vector<any_task> all_tasks() { return handles_of_tasks(running_loop()); }

std::vector<any_task> all_tasks(event_loop& loop, delay timeout) {
    if (running_loop_or_null() == &loop) return handles_of_tasks(loop);
    std::vector<any_task> tasks;
    detail::loop_access::visit(
        loop, [&](bool here) { tasks = here ? handles_of_tasks(loop) : detail::picture_tasks(loop); }, timeout,
        [] { return std::make_exception_ptr(timeout_error("the event loop did not come round")); });
    return tasks;
}

} // namespace rondo
