#include "sim/await_graph.hpp"

#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/task.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace rondo::sim::detail {

namespace {

using rondo::detail::future_state;
using rondo::detail::task_record;

/// The tasks that could end the wait of `t`, also through futures and gathers.
std::vector<const task_record*> waited_for(const task_record& t) {
    std::vector<const future_state*> seen;
    std::vector<const task_record*> tasks;
    if (t.blocked_on) t.blocked_on->waits_for(seen);
    for (std::size_t i = 0; i < seen.size(); ++i) { // it grows
        if (seen[i]->done()) continue;
        if (seen[i]->is_task()) tasks.push_back(static_cast<const task_record*>(seen[i]));
        else seen[i]->depends_on(seen);
    }
    return tasks;
}

std::string place(const std::source_location& where) {
    return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

std::string describe(task_record& t) {
    const task_base handle{rondo::detail::counted_ptr<future_state>(&t)};
    std::string text = "  " + t.label() + " (made at " + place(t.created_at()) + "): ";
    text += t.blocked_on ? t.blocked_on->describe() : "ready to run";
    for (const task_record* other : waited_for(t)) {
        if (text.find(other->label()) == std::string::npos) text += ", which depends on " + other->label();
    }
    for (const stack_entry& frame : handle.async_stack())
        text += "\n      at " + place(frame.where) + " in " + frame.function;
    return text + "\n";
}

/// A path of tasks of which each waits for the next, and the last for the first.
class circle_search {
public:
    bool look_from(const task_record* t) {
        const auto again = std::ranges::find(path_, t);
        if (again != path_.end()) {
            path_.erase(path_.begin(), again);
            return true;
        }
        if (std::ranges::find(known_, t) != known_.end()) return false;
        known_.push_back(t);
        path_.push_back(t);
        for (const task_record* next : waited_for(*t)) {
            if (look_from(next)) return true;
        }
        path_.pop_back();
        return false;
    }
    std::string text() const {
        std::string all = "  a circle: ";
        for (const task_record* t : path_) all += t->label() + " waits for ";
        return all + path_.front()->label() + "\n";
    }

private:
    std::vector<const task_record*> path_;
    std::vector<const task_record*> known_;
};

} // namespace

std::string describe_waiting_tasks(event_loop& loop) {
    task_record* const oldest = rondo::detail::loop_access::state(loop).oldest_task;
    std::string text;
    for (task_record* t = oldest; t; t = t->newer()) text += describe(*t);
    circle_search search;
    for (const task_record* t = oldest; t; t = t->newer()) {
        if (!search.look_from(t)) continue;
        text += search.text();
        break;
    }
    return text;
}

} // namespace rondo::sim::detail
