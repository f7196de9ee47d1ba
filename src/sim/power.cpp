// How hosts crash, and how they come back.
#include "sim/host_registry.hpp"

#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/detail/task_record.hpp>

#include "loop/timer_queue.hpp"
#include "sim/simulation.hpp"

#include <utility>
#include <vector>

namespace rondo::sim::detail {

using rondo::detail::callback;
using rondo::detail::context_ref;
using rondo::detail::context_switch;
using rondo::detail::loop_access;
using rondo::detail::loop_state;
using rondo::detail::ready_node;
using rondo::detail::ready_queue;
using rondo::detail::task_record;
using rondo::detail::timer_callback;
using rondo::detail::timer_node;

namespace {

/// Takes out of the ready queue what belongs to the dead.
void forget_ready(const host_registry& hosts, loop_state& state) noexcept {
    ready_node* first_kept = nullptr;
    while (!state.ready.empty() && state.ready.front() != first_kept) {
        ready_node& node = state.ready.pop();
        const context_ref* where = nullptr;
        if (task_record* t = task_record::of_node(node)) where = &t->context();
        else if (const callback* c = callback::of_node(node)) where = &c->context();
        if (where && !hosts.of(where->get()).alive()) {
            callback::discard(node);
            continue;
        }
        if (!first_kept) first_kept = &node;
        state.ready.push(node);
    }
}

void forget_timers(const host_registry& hosts, event_loop& loop) {
    std::vector<timer_callback*> dead;
    loop_access::timers(loop).for_each([&](timer_node& timer) {
        timer_callback* c = timer_callback::of_timer(timer);
        if (c && !hosts.of(c->context().get()).alive()) dead.push_back(c);
    });
    for (timer_callback* c : dead) c->cancel();
}

task_record* youngest_dead(const host_registry& hosts, const loop_state& state) noexcept {
    task_record* t = state.tasks;
    while (t && hosts.of(t->context().get()).alive()) t = t->older();
    return t;
}

} // namespace

void host_registry::crash(host_state& which) {
    const allocating_for_the_world own;
    if (&which == &body_) throw runtime_error("the host of the body cannot crash");
    if (!which.up) return;
    which.up = false;
    ++which.life;
    unburied_ = true;
    which.running = {};
    world_.network.host_crashed(which);
    for (const auto& [key, p] : which.parts) p->crashed();
}

void host_registry::restart(host_state& which) {
    crash(which);
    {
        const allocating_for_the_world own;
        which.up = true;
        for (const auto& [key, p] : which.parts) p->restarted();
    }
    if (which.program) run_program(which);
}

void host_registry::run_program(host_state& which) {
    task<> t =
        create_task(which.program(), {.name = which.name, .context = context_on(which), .where = which.started_at});
    rondo::detail::forget(t);
    which.running = std::move(t);
}

void host_registry::switch_off() {
    for (const auto& h : others_) crash(*h);
}

void host_registry::forget_tasks() noexcept {
    for (const auto& h : others_) h->running = {};
}
void host_registry::forget_programs() noexcept {
    for (const auto& h : others_) h->program = nullptr;
}

/// As at the end of a loop: the youngest task first, since a child refers to what its parent has.
void host_registry::bury_slowly(event_loop& loop) {
    unburied_ = false;
    loop_state& state = loop_access::state(loop);
    world_.network.call_back_dead_operations();
    each([](host_state& h) {
        for (const auto& [key, p] : h.parts) p->call_back_operations();
    });
    forget_ready(*this, state);
    forget_timers(*this, loop);
    while (task_record* t = youngest_dead(*this, state)) {
        context_ref inside = t->context(); // what its destructors do, the dead host does
        const context_switch there(inside);
        const bool before = std::exchange(state.closing, true);
        t->tear_down(crash_message(*of(inside.get()).host));
        state.closing = before;
        forget_ready(*this, state);
    }
}

} // namespace rondo::sim::detail
