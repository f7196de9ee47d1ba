// A task as another thread may see it: a picture of it, taken in its loop's thread.
#pragma once

#include <rondo/loop/detail/loop_door.hpp>
#include <rondo/task/detail/task_record.hpp>
#include <rondo/task/task.hpp>

#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

namespace rondo::detail {

/// Number, name, places and counts of a task, with the heads of its frames: so everything that reads a task's record reads this
/// one too. It belongs to the thread that asked for it, and has nothing to do with the task any more, but that cancel() is
/// passed on to it. It is never done.
class task_snapshot final : public task_record {
public:
    /// In the loop's thread.
    explicit task_snapshot(task_record& of);

    const std::type_info& value_type() const noexcept override { return type_; }

private:
    /// As much of a frame as its task's stack is read from.
    struct frame_head {
        void* resume = nullptr;
        void* destroy = nullptr;
        frame_header header;
    };
    cancel_step begin_cancel(const std::string& message) override;
    void destroy() noexcept override { delete this; }

    const std::type_info& type_;
    std::vector<frame_head> frames_; // innermost first
    std::shared_ptr<loop_door> door_;
};

/// Pictures of the tasks that are not done, in creation order. In the loop's thread.
std::vector<task_base> picture_tasks(event_loop& loop);

} // namespace rondo::detail
