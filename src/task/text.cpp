// What handles of tasks and futures look like to people.
#include <rondo/task/future.hpp>

#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/task_record.hpp>

#include "loop/text_of_place.hpp"
#include "task/call_graph_text.hpp"

#include <ostream>
#include <string>

namespace rondo {

namespace detail {

namespace {

const char* state_word(const future_state& f) noexcept {
    switch (f.state()) {
    case future_state::status::value:
    case future_state::status::error: return "finished";
    case future_state::status::cancelled: return "cancelled";
    case future_state::status::pending: break;
    }
    return f.is_task() && static_cast<const task_record&>(f).cancelling() > 0 ? "cancelling" : "pending";
}

std::string text_of_waiting(const task_record& t) {
    std::string text;
    if (const std::coroutine_handle<> body = t.outermost()) {
        const frame_header& header = header_of(body);
        text += " coro=<" + std::string(qualified_name(header.function.function_name())) + "() at " +
                text_of_place(header.await_at) + ">";
    }
    if (t.blocked_on) text += " wait_for=<" + t.blocked_on->describe() + ">";
    return text;
}

} // namespace

std::string future_state::text() const {
    std::string text = is_task() ? "<Task " : "<Future ";
    text += state_word(*this);
    if (!is_task()) text += " id=" + std::to_string(id());
    else text += " name=" + quoted(static_cast<const task_record&>(*this).known_name());
    if (state() == status::error) text += " error=<" + describe_exception(error()) + ">";
    if (is_task()) text += text_of_waiting(static_cast<const task_record&>(*this));
    if (created_at().line() != 0) text += " created at " + text_of_place(created_at());
    return text + ">";
}

} // namespace detail

std::string to_string(const future_base& f) { return f ? f.state()->text() : "<Future null>"; }
std::ostream& operator<<(std::ostream& to, const future_base& f) { return to << to_string(f); }

} // namespace rondo
