#include <rondo/task/detail/uninterrupted.hpp>

#include <rondo/task/detail/current.hpp>
#include <rondo/task/detail/task_record.hpp>

namespace rondo::detail {

uninterrupted::uninterrupted() : task_(&current_record()) {
    shield_.set_shield(true);
    shield_.enter(*task_);
    task_->mask();
}

uninterrupted::~uninterrupted() {
    if (task_) leave();
}

std::exception_ptr uninterrupted::end() {
    task_record& task = *task_;
    leave();
    return task.must_cancel() ? task.take_cancellation(false) : nullptr;
}

void uninterrupted::leave() noexcept {
    task_->unmask();
    task_ = nullptr;
    shield_.leave();
}

} // namespace rondo::detail
