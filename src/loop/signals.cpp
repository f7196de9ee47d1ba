#include "loop/signals.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"
#include "loop/inbox.hpp"
#include "loop/internals.hpp"

#include <bit>
#include <cerrno>
#include <string>
#include <utility>

namespace rondo::detail {

signal_dispatcher::~signal_dispatcher() {
    for (auto& [signal, entry] : entries_) {
        world_.os().unwatch_signal(signal, *this);
        while (signal_listener* l = entry.listeners) {
            entry.listeners = std::exchange(l->next, nullptr);
            l->linked = false;
        }
    }
}

void signal_dispatcher::require_signal(int signal) {
    if (signal < 1 || signal > last_signal) throw value_error("there is no signal " + std::to_string(signal));
}

signal_dispatcher::entry& signal_dispatcher::entry_for(int signal) {
    require_signal(signal);
    const auto [at, is_new] = entries_.try_emplace(signal);
    if (!is_new) return at->second;
    const int result = world_.os().watch_signal(signal, *this);
    if (result == 0) return at->second;
    entries_.erase(at);
    if (result == -EAGAIN) throw runtime_error("too many event loops listen to signals");
    throw runtime_error("signal " + std::to_string(signal) + " cannot be caught");
}

void signal_dispatcher::drop_if_unused(int signal) noexcept {
    const auto at = entries_.find(signal);
    if (at == entries_.end() || at->second.handler || at->second.listeners) return;
    entries_.erase(at);
    world_.os().unwatch_signal(signal, *this);
    arrived_.fetch_and(~signal_bit(signal)); // the next one who watches begins with a clean slate
}

void signal_dispatcher::add(int signal, std::function<void()> handler_function, call_options&& options) {
    if (!world_.os().in_main_thread()) throw runtime_error("a signal handler can only be added in the main thread");
    auto made =
        std::make_unique<handler>(handler{std::make_shared<const std::function<void()>>(std::move(handler_function)),
                                          options.context ? std::move(*options.context) : copy_context(),
                                          options.where,
                                          {}});
    entry& here = entry_for(signal);
    if (here.handler) here.handler->scheduled.cancel();
    here.handler = std::move(made);
}

bool signal_dispatcher::remove(int signal) noexcept {
    const auto at = entries_.find(signal);
    if (at == entries_.end() || !at->second.handler) return false;
    at->second.handler->scheduled.cancel();
    at->second.handler = nullptr;
    drop_if_unused(signal);
    return true;
}

void signal_dispatcher::listen(signal_listener& listener) {
    entry& here = entry_for(listener.signal);
    listener.next = here.listeners;
    here.listeners = &listener;
    listener.linked = true;
}

void signal_dispatcher::unlisten(signal_listener& listener) noexcept {
    if (!listener.linked) return;
    signal_listener** at = &entries_.find(listener.signal)->second.listeners;
    while (*at != &listener) at = &(*at)->next;
    *at = std::exchange(listener.next, nullptr);
    listener.linked = false;
    drop_if_unused(listener.signal);
}

void signal_dispatcher::dispatch(event_loop& loop) {
    for (std::uint64_t left = arrived_.exchange(0); left != 0; left &= left - 1) {
        const auto at = entries_.find(std::countr_zero(left) + 1);
        if (at == entries_.end()) continue; // it arrived while it was being dropped
        for (signal_listener* l = at->second.listeners; l; l = l->next) l->arrived(*l);
        if (!at->second.handler) continue;
        handler& h = *at->second.handler;
        h.scheduled = loop.call_soon([call = h.call] { (*call)(); }, {.context = h.context, .where = h.where});
    }
}

void signal_dispatcher::signal_arrived(int signal) noexcept {
    arrived_.fetch_or(signal_bit(signal));
    if (box_.must_wake()) world_.wake();
}

} // namespace rondo::detail

namespace rondo {

void event_loop::set_signal_handler(int signal, std::function<void()> fn, call_options options) {
    detail::loop_access::signals(*this).add(signal, std::move(fn), std::move(options));
}

bool event_loop::remove_signal_handler(int signal) {
    if (!closed_) check_thread();
    detail::signal_dispatcher::require_signal(signal);
    return internals_->signals && internals_->signals->remove(signal);
}

} // namespace rondo
