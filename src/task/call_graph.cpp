#include <rondo/task/call_graph.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/task_record.hpp>

#include "task/awaited_by_service.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>
#include <utility>

namespace rondo {

namespace detail {

namespace {

using ref = counted_ptr<future_state>;

/// For each future of a loop those who wait for it.
class waiters {
public:
    explicit waiters(event_loop& loop) {
        for (task_record* t = loop_access::state(loop).oldest_task; t; t = t->newer()) {
            if (!t->blocked_on) continue;
            std::vector<const future_state*> seen;
            t->blocked_on->waits_for(seen);
            for (std::size_t i = 0; i < seen.size(); ++i) { // it grows
                add(*seen[i], *t);
                if (!seen[i]->is_task()) seen[i]->depends_on(seen);
            }
        }
        service<awaited_by_service>(loop).for_each([&](future_state& fut, future_state& waiter) { add(fut, waiter); });
    }
    const std::vector<future_state*>& of(const future_state& f) const {
        static const std::vector<future_state*> nobody;
        const auto found = who_.find(&f);
        return found == who_.end() ? nobody : found->second;
    }

private:
    void add(const future_state& fut, future_state& waiter) {
        std::vector<future_state*>& all = who_[&fut];
        if (std::ranges::find(all, &waiter) == all.end()) all.push_back(&waiter);
    }
    std::unordered_map<const future_state*, std::vector<future_state*>> who_;
};

std::vector<stack_entry> limited(std::vector<stack_entry> stack, const std::optional<int>& limit) {
    if (!limit) return stack;
    const auto wanted = std::min(stack.size(), static_cast<std::size_t>(std::abs(static_cast<long>(*limit))));
    const auto drop = static_cast<std::ptrdiff_t>(stack.size() - wanted);
    if (*limit >= 0) stack.erase(stack.end() - drop, stack.end());
    else stack.erase(stack.begin(), stack.begin() + drop);
    return stack;
}

class capture {
public:
    capture(event_loop& loop, call_graph_options options) : who_(loop), options_(options) {}

    future_call_graph of(future_state& f) {
        future_call_graph graph;
        graph.future = future_base(ref(&f));
        if (f.is_task()) graph.call_stack = limited(task_base(ref(&f)).async_stack(), options_.limit);
        path_.push_back(&f);
        for (future_state* waiter : who_.of(f)) {
            if (std::ranges::find(path_, waiter) == path_.end()) graph.awaited_by.push_back(of(*waiter));
        }
        path_.pop_back();
        return graph;
    }

private:
    waiters who_;
    call_graph_options options_;
    std::vector<const future_state*> path_;
};

void render(const future_call_graph& graph, const std::string& indent, std::string& into) {
    char id[20];
    std::snprintf(id, sizeof id, "%#llx", static_cast<unsigned long long>(graph.future.id()));
    future_state& f = *graph.future.state();
    if (f.is_task()) into += indent + "* Task(name='" + task_base(ref(&f)).name() + "', id=" + id + ")\n";
    else into += indent + "* Future(id=" + id + ")\n";
    if (!graph.call_stack.empty()) into += indent + "  + Call stack:\n";
    for (const stack_entry& frame : graph.call_stack) {
        into += indent + "  |   File '" + frame.where.file_name() + "', line " + std::to_string(frame.where.line()) +
                ", in " + frame.function + "\n";
    }
    if (!graph.awaited_by.empty()) into += indent + "  + Awaited by:\n";
    for (const future_call_graph& waiter : graph.awaited_by) render(waiter, indent + "    ", into);
}

std::string text_of(const std::optional<future_call_graph>& graph) {
    std::string text;
    if (graph) render(*graph, "", text);
    return text;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

} // namespace

} // namespace detail

std::optional<future_call_graph> capture_call_graph(const any_future& of, call_graph_options options) {
    if (!of) throw type_error("a null handle has no call graph");
    return detail::capture(of.loop(), options).of(*of.state());
}
std::optional<future_call_graph> capture_call_graph(call_graph_options options) {
    const any_task current = current_task();
    if (!current) return std::nullopt;
    return capture_call_graph(current, options);
}

std::string format_call_graph(const any_future& of, call_graph_options options) {
    return detail::text_of(capture_call_graph(of, options));
}
std::string format_call_graph(call_graph_options options) { return detail::text_of(capture_call_graph(options)); }

void print_call_graph(const any_future& of, call_graph_options options) {
    detail::print(format_call_graph(of, options));
}
void print_call_graph(call_graph_options options) { detail::print(format_call_graph(options)); }

void lowlevel::add_awaited_by(const future_base& fut, const future_base& waiter) {
    if (!fut || !waiter) throw type_error("a null handle neither waits nor is awaited");
    detail::service<detail::awaited_by_service>(fut.loop()).add(*fut.state(), *waiter.state());
}
void lowlevel::discard_awaited_by(const future_base& fut, const future_base& waiter) {
    if (!fut || !waiter) throw type_error("a null handle neither waits nor is awaited");
    detail::service<detail::awaited_by_service>(fut.loop()).discard(*fut.state(), *waiter.state());
}

} // namespace rondo
