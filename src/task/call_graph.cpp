#include <rondo/task/call_graph.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/task_record.hpp>

#include "task/awaited_by_service.hpp"
#include "task/call_graph_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace rondo {

namespace detail {

namespace {

using ref = counted_ptr<future_state>;

/// For each future of a loop those who wait for it, each once.
class waiters {
public:
    explicit waiters(event_loop& loop) {
        std::vector<const future_state*> found;
        std::unordered_set<const future_state*> seen;
        for (task_record* t = loop_access::state(loop).oldest_task; t; t = t->newer()) {
            if (!t->blocked_on) continue;
            found.clear();
            seen.clear();
            t->blocked_on->waits_for(found);
            for (std::size_t i = 0; i < found.size(); ++i) { // it grows
                if (!seen.insert(found[i]).second) continue;
                who_[found[i]].push_back(t);
                if (!found[i]->is_task()) found[i]->depends_on(found);
            }
        }
        service<awaited_by_service>(loop).for_each([&](future_state& fut, future_state& waiter) {
            std::vector<future_state*>& all = who_[&fut];
            if (std::ranges::find(all, &waiter) == all.end()) all.push_back(&waiter);
        });
    }
    const std::vector<future_state*>& of(const future_state& f) const {
        static const std::vector<future_state*> nobody;
        const auto found = who_.find(&f);
        return found == who_.end() ? nobody : found->second;
    }

private:
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

/// Depth first, so that what is met first is what is read first. A node stays where it is once its siblings are there.
future_call_graph capture(event_loop& loop, const any_future& of, call_graph_options options) {
    const waiters who(loop);
    future_call_graph graph(of);
    std::unordered_set<const future_state*> met;
    std::vector<future_call_graph*> left{&graph}; // what comes last first
    while (!left.empty()) {
        future_call_graph& node = *left.back();
        left.pop_back();
        future_state& f = *node.future.state();
        node.repeated = !met.insert(&f).second;
        if (node.repeated) continue;
        if (f.is_task()) node.call_stack = limited(task_base(ref(&f)).async_stack(), options.limit);
        const std::vector<future_state*>& waiting = who.of(f);
        node.awaited_by.reserve(waiting.size());
        for (future_state* waiter : waiting) node.awaited_by.emplace_back(future_base(ref(waiter)));
        for (std::size_t i = waiting.size(); i-- > 0;) left.push_back(&node.awaited_by[i]);
    }
    return graph;
}

void print(std::string text) {
    text += '\n';
    std::fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace

} // namespace detail

future_call_graph::future_call_graph(const future_call_graph& other) : future_call_graph(other.future) {
    std::vector<std::pair<const future_call_graph*, future_call_graph*>> left{{&other, this}};
    while (!left.empty()) {
        const auto [from, to] = left.back();
        left.pop_back();
        to->call_stack = from->call_stack;
        to->repeated = from->repeated;
        to->awaited_by.reserve(from->awaited_by.size());
        for (const future_call_graph& waiter : from->awaited_by) to->awaited_by.emplace_back(waiter.future);
        for (std::size_t i = 0; i < from->awaited_by.size(); ++i)
            left.emplace_back(&from->awaited_by[i], &to->awaited_by[i]);
    }
}

future_call_graph& future_call_graph::operator=(future_call_graph other) noexcept {
    std::swap(future, other.future);
    call_stack.swap(other.call_stack);
    awaited_by.swap(other.awaited_by);
    std::swap(repeated, other.repeated);
    return *this;
}

future_call_graph::~future_call_graph() {
    std::vector<std::vector<future_call_graph>> left; // so that each dies with nobody below it
    if (!awaited_by.empty()) left.push_back(std::move(awaited_by));
    while (!left.empty()) {
        std::vector<future_call_graph> level = std::move(left.back());
        left.pop_back();
        for (future_call_graph& node : level) {
            if (!node.awaited_by.empty()) left.push_back(std::move(node.awaited_by));
        }
    }
}

std::optional<future_call_graph> capture_call_graph(const any_future& of, call_graph_options options) {
    if (!of) throw type_error("a null handle has no call graph");
    return detail::capture(of.loop(), of, options);
}
std::optional<future_call_graph> capture_call_graph(call_graph_options options) {
    const any_task current = current_task();
    if (!current) return std::nullopt;
    return capture_call_graph(current, options);
}

std::string format_call_graph(const any_future& of, call_graph_options options) {
    return detail::text_of(*capture_call_graph(of, options));
}
std::string format_call_graph(call_graph_options options) {
    const std::optional<future_call_graph> graph = capture_call_graph(options);
    return graph ? detail::text_of(*graph) : std::string();
}

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
