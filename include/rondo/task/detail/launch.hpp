// How every task comes into being.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/task/detail/stored_call.hpp>
#include <rondo/task/detail/task_record.hpp>
#include <rondo/task/task.hpp>

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rondo::detail {

/// The loop must be usable; from now on its tasks are cancelled and awaited when it closes.
void prepare_for_tasks_slowly(event_loop& loop);
inline void prepare_for_tasks(event_loop& loop) {
    const loop_state& here = loop_access::state(loop);
    if (!here.tasks_prepared || here.debug || here.generation != process_generation) [[unlikely]]
        prepare_for_tasks_slowly(loop);
}
/// The factory of set_task_factory(), or null.
inline const task_factory* custom_factory(event_loop& loop) noexcept {
    return static_cast<const task_factory*>(loop_access::state(loop).task_factory);
}

/// `around`: the scope that the task is born in, or null. Here and in what follows.
template <class T> task<T> start_record(task_of<T>* made, bool eagerly, scope_node* around) {
    task<T> handle{counted_ptr<future_state>(made)};
    if (around) {
        made->scope = around;
        made->scope_changed();
    }
    made->start(eagerly);
    return handle;
}

template <class T> task<T> make_task(event_loop& loop, task_options&& options, coro<T>&& body, scope_node* around) {
    const bool eagerly = options.eager_start.value_or(false);
    return start_record<T>(new plain_task<T>(loop, std::move(body), std::move(options)), eagerly, around);
}

template <class T> task<T> launch_by_factory(const task_factory& factory, event_loop& loop, task_options&& options,
                                             coro<T>&& body, scope_node* around) {
    auto shared = std::make_shared<coro<T>>(std::move(body));
    any_coro erased([shared, around](event_loop& l, task_options&& o) {
        return task_base(make_task(l, std::move(o), std::move(*shared), around));
    });
    return factory(loop, std::move(erased), std::move(options)).template as_task<T>();
}

template <class T>
task<T> launch(event_loop& loop, task_options&& options, coro<T>&& body, scope_node* around = nullptr) {
    prepare_for_tasks(loop);
    if (const task_factory* factory = custom_factory(loop)) [[unlikely]]
        return launch_by_factory(*factory, loop, std::move(options), std::move(body), around);
    return make_task(loop, std::move(options), std::move(body), around);
}

/// A coroutine that keeps the callable and arguments it was made from.
template <class Call, class T> coro<T> run_held(Call call) { co_return co_await call(); }

template <class Call> using call_result_t = typename std::invoke_result_t<Call&>::value_type;

template <class Call> task<call_result_t<Call>> launch_stored(event_loop& loop, task_options&& options, Call&& call,
                                                              scope_node* around = nullptr) {
    using T = call_result_t<Call>;
    prepare_for_tasks(loop);
    if (const task_factory* factory = custom_factory(loop)) [[unlikely]]
        return launch_by_factory(*factory, loop, std::move(options), run_held<Call, T>(std::forward<Call>(call)),
                                 around);
    const bool eagerly = options.eager_start.value_or(false);
    return start_record<T>(new task_holding<T, Call>(loop, std::forward<Call>(call), std::move(options)), eagerly,
                           around);
}

template <class F, class... A>
auto launch_call_in(scope_node* around, event_loop& loop, task_options&& options, F&& fn, A&&... arguments) {
    return std::apply(
        [&](auto&&... kept) {
            using call_type = stored_call_for<F, decltype(kept)...>;
            return launch_stored(loop, std::move(options),
                                 call_type(std::forward<F>(fn), std::forward<decltype(kept)>(kept)...), around);
        },
        given(std::tuple<>(), std::forward<A>(arguments)...));
}
template <class F, class... A> auto launch_call(event_loop& loop, task_options&& options, F&& fn, A&&... arguments) {
    return launch_call_in(nullptr, loop, std::move(options), std::forward<F>(fn), std::forward<A>(arguments)...);
}

void report_if_failed(task_record& t) noexcept;

/// A task without a handle: its failure is reported when it happens.
inline void forget(const task_base& t) noexcept {
    t.state()->report_when_failed = true;
    report_if_failed(t.record());
}

} // namespace rondo::detail
