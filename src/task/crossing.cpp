#include <rondo/task/detail/crossing.hpp>

namespace rondo::detail {

void crossing::cancel_task() noexcept { door_->post(cancellation_, shared_from_this()); }

void crossing::cancelled() noexcept {
    try {
        if (task_) task_->cancel({});
    } catch (...) { // no memory to say so to what it waits for
        loop_access::report(running_loop(), {.message = "a task could not be cancelled for another thread",
                                             .exception = std::current_exception()});
    }
}

void crossing::watch(const task_base& started) {
    self_ = shared_from_this();
    task_ = started.state();
    task_->add_done_node(*this);
}

void crossing::ended(done_node& node, future_state& task) noexcept {
    const std::shared_ptr<crossing> self = std::move(static_cast<crossing&>(node).self_);
    self->task_ = nullptr;
    std::optional<due_callbacks> due = self->transfer(task);
    if (!due || due->empty()) return;
    try {
        task.loop().call_soon([due = *std::move(due)] {}); // user code: not in here
    } catch (...) {                                        // then they have run already, when `due` died
    }
}

void throw_loop_closed() { throw runtime_error("the event loop is closed"); }

} // namespace rondo::detail
