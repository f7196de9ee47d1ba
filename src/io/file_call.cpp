#include "io/file_call.hpp"

#include <rondo/task/detail/task_record.hpp>

namespace rondo::detail {

file_call::~file_call() {
    if (is_waiting() && begun_) call_->cancel();
}

void file_call::enqueue() noexcept {
    try {
        call_->start(task()->loop(), nullptr, *this, {doing_}, std::nullopt);
        begun_ = true;
    } catch (...) {
        not_started_ = std::current_exception();
        settle();
    }
}

cancel_outcome file_call::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    if (call_->skip()) {
        begun_ = false;
        settle_cancelled();
    } else {
        mark_cancelled();
    }
    return cancel_outcome::accepted;
}

std::exception_ptr file_call::failure() {
    if (!begun_) {
        if (std::exception_ptr interruption = take_interruption()) return interruption;
        return not_started_;
    }
    if (call_->outcome.has_value() && *call_->outcome < 0) {
        if (std::exception_ptr interruption = take_interruption()) return interruption;
    }
    if (was_cancelled()) put_off_cancellation();
    return call_->outcome.take_error();
}

std::int64_t file_call::value() { return *call_->outcome; }

std::string file_call::describe() const {
    return std::string(doing_) + (call_->is_queued() ? ", waiting for a thread that is free" : " in a thread");
}

} // namespace rondo::detail
