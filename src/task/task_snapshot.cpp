#include "task/task_snapshot.hpp"

#include <cstddef>

namespace rondo::detail {

task_snapshot::task_snapshot(task_record& of)
    : task_record(of), type_(of.value_type()), door_(loop_access::door(of.loop())) {
    static_assert(offsetof(frame_head, header) == promise_offset);
    for (std::coroutine_handle<> frame = of.innermost; !of.ends_chain(frame);) {
        frame_head& head = frames_.emplace_back();
        head.header = header_of(frame);
        frame = head.header.continuation;
    }
    std::coroutine_handle<> outer = end_of_chain();
    for (std::size_t i = frames_.size(); i-- > 0;) {
        frames_[i].header.task = this;
        frames_[i].header.continuation = outer;
        outer = std::coroutine_handle<>::from_address(&frames_[i]);
    }
    innermost = outer;
}

future_state::cancel_step task_snapshot::begin_cancel(const std::string& message) {
    const bool open = door_->post([id = id(), message] {
        for (task_record* t = loop_access::state(running_loop()).tasks; t; t = t->older()) {
            if (t->id() != id) continue;
            t->cancel(message);
            return;
        }
    });
    return {.accepted = open};
}

std::vector<task_base> picture_tasks(event_loop& loop) {
    std::vector<task_base> pictures;
    for (task_record* t = loop_access::state(loop).oldest_task; t; t = t->newer())
        pictures.emplace_back(counted_ptr<future_state>::adopt(new task_snapshot(*t)));
    return pictures;
}

} // namespace rondo::detail
