#include "task/task_service.hpp"

#include "coro/without_memory.hpp"
#include "loop/task_pictures.hpp"
#include "loop/text_of_place.hpp"
#include "task/cancel_walk.hpp"

#include <rondo/coro/debug.hpp>
#include <rondo/loop/detail/message.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/launch.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace rondo {

namespace detail {

namespace {

constexpr task_floor this_floor{
    .keep = [](ready_node& node) noexcept -> future_state* {
        task_record* const t = task_record::of_node(node);
        if (t) t->retain();
        return t;
    },
    .text = [](const future_state& of) { return of.text(); },
    .let_go = [](future_state& of) noexcept { of.release(); },
    .picture = [](const task_record& of, running_task& into) noexcept { of.picture(into); },
};

std::string account_of(const task_base& t) {
    std::string text =
        t.record().label() + " (made at " + text_of_place(t.created_at()) + ") did not end when it was cancelled";
    if (const awaiter* a = t.record().blocked_on) {
        text += ": " + a->describe();
        std::vector<const future_state*> others;
        a->waits_for(others);
        for (const future_state* other : others) text += ", which depends on " + other->label();
    }
    for (const stack_entry& frame : t.async_stack())
        text += "\n    at " + text_of_place(frame.where) + " in " + frame.function;
    return text;
}

} // namespace

std::size_t picture_tasks(const loop_state& of, std::span<running_task> into) noexcept {
    std::size_t count = 0;
    for (const task_record* t = of.oldest_task; t; t = t->newer(), ++count) {
        if (count < into.size()) t->picture(into[count]);
    }
    return count;
}

void prepare_for_tasks_slowly(event_loop& loop) {
    loop_access::check_usable(loop);
    loop_state& here = loop_access::state(loop);
    if (here.tasks_prepared) return;
    static_cast<void>(service<task_service>(loop));
    here.tasks_prepared = true;
    here.tasks_known = &this_floor;
    loop_access::set_error_reporter(loop, &task_service::report);
}

void report_if_failed(task_record& t) noexcept {
    if (t.state() != future_state::status::error || is_exit_request(t.error())) return; // that the loop throws
    t.mark_observed();
    loop_access::report(
        t.loop(),
        {.message = text_or_nothing([&] { return t.label() + " failed"; }), .exception = t.error(), .task = &t});
}

void task_service::close(event_loop& loop, closing step) noexcept {
    if (step == closing::work) end_tasks(loop);
    if (step == closing::frames) destroy_frames(loop);
}

void task_service::end_tasks(event_loop& loop) {
    loop_state& here = loop_access::state(loop);
    if (running_loop_or_null()) return; // another loop's callback closes this one, which cannot run in there
    std::vector<task_base> asked;
    const auto ask_new_ones = [&] {
        const std::size_t known = asked.size();
        for (task_record* t = here.tasks; t && !t->was_asked_to_end(); t = t->older()) {
            t->mark_asked_to_end();
            asked.emplace_back(counted_ptr<future_state>(t));
        }
        cancel_walk
            walk; // who waits for others asks them too: each is asked by this once, in whatever order they are met
        for (std::size_t i = known; i < asked.size(); ++i) {
            if (!cancel_walk::has_asked(asked[i].record())) walk.ask(asked[i].record(), "the event loop is closing");
        }
        return here.tasks != nullptr;
    };
    const time_point until = loop.time() + here.patience;
    for (bool again = true; again;) {
        try {
            loop_access::run_while(loop, ask_new_ones, until);
            again = false;
        } catch (...) { // an exit request while closing: the rest still has to end
            loop_access::report(loop, {.message = "asked to exit while the event loop was closing",
                                       .exception = std::current_exception()});
            if (loop.time() >= until) again = false;
        }
    }
    for (const task_base& t : asked) {
        if (t.record().state() != future_state::status::error || is_exit_request(t.record().error())) continue;
        if (t.record().report_when_failed) continue; // that was done when it failed
        t.record().mark_observed();
        loop_access::report(loop, {.message = t.record().label() + " failed while the event loop was closing",
                                   .exception = t.record().error(),
                                   .task = &t.record()});
    }
}

void task_service::destroy_frames(event_loop& loop) noexcept {
    loop_state& here = loop_access::state(loop);
    const auto forget_ready = [&] {
        while (!here.ready.empty()) detail::discard(here.ready.pop());
    };
    here.closing = true;
    forget_ready();
    // All of them first: what one waits for is gone when the other is.
    std::vector<error_report> accounts;
    for (task_record* t = here.oldest_task; t; t = t->newer())
        accounts.push_back({.message = account_of(task_base(counted_ptr<future_state>(t))), .task = t});
    for (const error_report& account : accounts) report(loop, account);
    accounts.clear();
    // The youngest first, as the language destroys: a child refers to what its parent has.
    while (task_record* t = here.tasks) {
        t->tear_down("the event loop was closed");
        forget_ready();
    }
}

void task_service::report(event_loop& loop, const error_report& what) {
    // The handler runs in the context of the one that failed.
    context_ref own;
    if (what.task) own = what.task->context();
    else if (what.handle) own = what.handle->context();
    else if (what.future && what.future->is_task()) own = static_cast<task_record*>(what.future)->context();
    else own = share_current_context();
    const context_switch inside(own);

    error_context context;
    context.message = what.message;
    context.exception = what.exception;
    context.transport = what.transport;
    context.any_transport = what.any_transport;
    context.protocol = what.protocol;
    context.socket = what.socket;
    context.created_at = what.created_at;
    context.asyncgen = what.asyncgen;
    if (what.future) {
        if (what.future->created_at().line() != 0) context.created_at = what.future->created_at();
        if (what.future->is_task()) context.task = task_base(counted_ptr<future_state>(what.future));
        context.future = future_base(counted_ptr<future_state>(what.future));
    }
    if (what.task) {
        context.created_at = what.task->created_at();
        context.task = task_base(counted_ptr<future_state>(what.task));
    }
    if (what.handle) {
        context.created_at = what.handle->where();
        what.handle->retain();
        context.handle = rondo::handle(what.handle);
    }
    loop.call_exception_handler(context);
}

} // namespace detail

void event_loop::set_task_factory(rondo::task_factory factory) {
    detail::prepare_for_tasks(*this);
    auto& own = detail::service<detail::task_service>(*this);
    own.factory = std::move(factory);
    state_.task_factory = own.factory ? &own.factory : nullptr;
}

void event_loop::set_exception_handler(rondo::exception_handler handler) {
    detail::prepare_for_tasks(*this);
    detail::service<detail::task_service>(*this).handler = std::move(handler);
}

void event_loop::call_exception_handler(const error_context& what) {
    auto& own = detail::service<detail::task_service>(*this);
    if (!own.handler) {
        default_exception_handler(what);
        return;
    }
    std::exception_ptr failed;
    try {
        const rondo::exception_handler handler = own.handler; // it may replace itself
        handler(*this, what);
    } catch (...) {
        failed = std::current_exception();
    }
    if (!failed) return;
    if (detail::is_exit_request(failed)) {
        state_.exit_request = failed;
        return;
    }
    default_exception_handler(what);
    default_exception_handler({.message = "the exception handler itself failed", .exception = failed});
}

void event_loop::default_exception_handler(const error_context& what) {
    std::string line = what.message;
    if (what.exception) line += ": " + detail::describe_exception(what.exception);
    if (what.created_at) line += " (made at " + detail::text_of_place(*what.created_at) + ")";
    detail::report_line(line);
}

} // namespace rondo
