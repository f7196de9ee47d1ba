#include <rondo/io/detail/write_awaiter.hpp>

#include <rondo/io/errors.hpp>

#include "io/stream_core.hpp"

#include <cerrno>

namespace rondo::detail {

namespace {

// Up to here a copy costs less than waiting until the kernel has taken the caller's bytes.
constexpr std::size_t small_enough_to_copy = 4096;

std::exception_ptr moved_from() { return std::make_exception_ptr(runtime_error("this stream_writer was moved from")); }

} // namespace

write_awaiter::~write_awaiter() {
    if (listed_ && is_waiting()) to_->stop_waiting(*this);
    if (borrowed_) to_->take_back(*this, *this);
}

bool write_awaiter::try_now() {
    if (!to_) {
        problem_ = moved_from();
        return true;
    }
    stream_core& to = *to_;
    if (kind_ == kind::drain) {
        if (to.write_error() || to.reader_error()) return true;
        return !to.is_closing() && !to.is_full();
    }
    if (to.eof_requested()) {
        problem_ = std::make_exception_ptr(runtime_error("write() after write_eof()"));
    } else if (to.is_lent()) {
        problem_ = std::make_exception_ptr(runtime_error("write() during a sendfile() (" + to.describe() + ")"));
    } else if (to.write_error()) {
        problem_ = to.write_error();
    } else if (to.is_closing()) {
        problem_ = os_error(ECONNRESET, "write() after close() (" + to.describe() + ")");
    }
    if (problem_) return true;
    const std::span<const bytes_view> all = pieces();
    for (const bytes_view& piece : all) total_ += piece.size();
    if (total_ <= small_enough_to_copy) {
        to.send_copy(all);
        return !to.is_full() || to.write_error();
    }
    if (task()->interrupted()) return false; // nothing is sent for a task that is cancelled before it waits
    now = all.front();
    later = all.subspan(1);
    owner = this;
    borrowed_ = true;
    to.send_borrowed(*this);
    return !borrowed_;
}

void write_awaiter::enqueue() noexcept {
    if (borrowed_) return;
    const bool yields = kind_ == kind::drain && to_->is_closing() && !to_->is_full();
    if (yields || to_->write_error()) {
        settle();
        return;
    }
    listed_ = true;
    to_->wait_for_room(*this);
}

void write_awaiter::released() noexcept {
    borrowed_ = false;
    if (is_waiting()) settle();
}

cancel_outcome write_awaiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    if (borrowed_) {
        if (!to_->take_back(*this, *this)) {
            mark_cancelled();
            return cancel_outcome::accepted;
        }
        borrowed_ = false;
    } else {
        to_->stop_waiting(*this);
        listed_ = false;
    }
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr write_awaiter::failure() {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    if (problem_) return problem_;
    if (to_->write_error()) return to_->write_error();
    return to_->reader_error();
}

std::string write_awaiter::describe() const {
    std::string text = kind_ == kind::drain ? "drain()" : "write() of " + std::to_string(total_) + " bytes";
    return text + " on " + to_->describe() + ", " + std::to_string(to_->queued()) + " bytes wait to be sent";
}

closed_awaiter::~closed_awaiter() {
    if (listed_ && is_waiting()) of_->stop_waiting(*this);
}

bool closed_awaiter::try_now() {
    if (!of_) return true;
    if (close_first_) of_->close();
    return of_->is_lost();
}

void closed_awaiter::enqueue() noexcept {
    listed_ = true;
    of_->wait_until_lost(*this);
}

cancel_outcome closed_awaiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    of_->stop_waiting(*this);
    listed_ = false;
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr closed_awaiter::failure() {
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    if (!of_) return moved_from();
    return of_->error();
}

std::string closed_awaiter::describe() const {
    return "waiting until " + of_->describe() + " is closed, " + std::to_string(of_->queued()) +
           " bytes wait to be sent";
}

} // namespace rondo::detail
