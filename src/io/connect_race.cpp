#include "io/connect_race.hpp"

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/exception_group.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

namespace rondo::detail {

connect_race::connect_race(event_loop& loop, std::vector<address> addresses, const connect_options& options)
    : loop_(loop),
      os_(loop_access::backend(loop).os()),
      addresses_(std::move(addresses)),
      local_(options.local_address),
      protocol_(options.protocol),
      stagger_(options.happy_eyeballs_delay),
      all_errors_(options.all_errors),
      attempts_(new attempt[addresses_.size()]),
      problems_(addresses_.size()) {}

connect_race::~connect_race() {
    assert(pending_ == 0);
    disarm_timer(loop_, timer_);
    if (winner_) close(*winner_);
}

void connect_race::close(attempt& a) noexcept {
    if (a.fd >= 0) os_.close(std::exchange(a.fd, -1));
}

int connect_race::open(attempt& a) noexcept {
    const int family = a.to.family();
    a.fd = os_.open_socket(family, SOCK_STREAM, protocol_);
    if (a.fd < 0) return std::exchange(a.fd, -1);
    a.reached = step::connect;
    if (!local_) return 0;
    const socket_address from(*local_);
    if (from.family() != family) return -EADDRNOTAVAIL;
    a.reached = step::bind;
    const int result = os_.bind(a.fd, from.get(), from.size);
    if (result >= 0) a.reached = step::connect;
    return result;
}

void connect_race::enqueue() noexcept { start_next(); }

void connect_race::start_next() noexcept {
    disarm_timer(loop_, timer_);
    while (!over() && started_ < addresses_.size()) {
        attempt& a = attempts_[started_];
        a.race = this;
        a.to = socket_address(addresses_[started_]);
        ++started_;
        if (const int error = open(a); error < 0) {
            a.result = error;
            ended(a);
            continue;
        }
        a.address = a.to.get();
        a.address_size = a.to.size;
        if (loop_access::backend(loop_).submit(a)) {
            ended(a);
            continue;
        }
        ++pending_;
        if (started_ < addresses_.size() && !stagger_.is_none())
            arm_timer(loop_, timer_, *deadline_after(loop_.time(), stagger_));
        return;
    }
    settle_if_finished();
}

void connect_race::ended(attempt& a) noexcept {
    if (a.result >= 0 && !over()) {
        winner_ = &a;
        cancel_attempts();
        return;
    }
    close(a);
    if (a.result < 0)
        problems_[static_cast<std::size_t>(&a - attempts_.get())] = {static_cast<int>(-a.result), a.reached};
}

void connect_race::completed(operation& op) noexcept {
    auto& a = static_cast<attempt&>(op);
    connect_race& race = *a.race;
    --race.pending_;
    race.ended(a);
    if (race.over()) race.settle_if_finished();
    else race.start_next();
}

void connect_race::stagger_timer::rings(timer_node& node, event_loop&) noexcept {
    static_cast<stagger_timer&>(node).race.start_next();
}

void connect_race::settle_if_finished() noexcept {
    const bool tried_all = started_ == addresses_.size();
    if (is_waiting() && pending_ == 0 && (over() || tried_all)) settle();
}

void connect_race::cancel_attempts() noexcept {
    disarm_timer(loop_, timer_);
    for (std::size_t i = 0; i < started_; ++i) loop_access::backend(loop_).cancel(attempts_[i]);
}

cancel_outcome connect_race::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    mark_cancelled();
    cancel_attempts();
    return cancel_outcome::accepted;
}

std::exception_ptr connect_race::failure() {
    if (std::exception_ptr interruption = take_interruption())
        return interruption; // the destructor closes what was won
    return winner_ ? nullptr : combined_error();
}

connected_socket connect_race::value() {
    attempt& won = *std::exchange(winner_, nullptr);
    return {std::exchange(won.fd, -1), addresses_[static_cast<std::size_t>(&won - attempts_.get())], won.to.family()};
}

std::string connect_race::text_of(std::size_t i) const {
    switch (problems_[i].at) {
    case step::socket: return "cannot open a socket to connect";
    case step::bind: return "cannot bind to " + local_->str() + " to connect";
    case step::connect: break;
    }
    return "cannot connect to " + addresses_[i].str();
}

/// Several attempts may say the same, for the trouble is on this side: then once is enough.
std::exception_ptr connect_race::combined_error() const {
    if (all_errors_) {
        std::vector<std::exception_ptr> each;
        each.reserve(addresses_.size());
        for (std::size_t i = 0; i < addresses_.size(); ++i) each.push_back(os_error(problems_[i].error, text_of(i)));
        return std::make_exception_ptr(exception_group("connecting failed", std::move(each)));
    }
    const int first = problems_[0].error;
    const std::string first_text = text_of(0);
    std::string text = "Multiple exceptions: ";
    bool same_text = true;
    for (std::size_t i = 0; i < addresses_.size(); ++i) {
        if (i > 0) text += ", ";
        text += text_of(i) + ": " + std::system_category().message(problems_[i].error);
        same_text = same_text && problems_[i].error == first && text_of(i) == first_text;
    }
    if (same_text) return os_error(first, first_text);
    const bool same =
        std::all_of(problems_.begin(), problems_.end(), [&](const problem& p) { return p.error == first; });
    if (same) return os_error(first, text);
    return std::make_exception_ptr(std::system_error(first, std::system_category(), text));
}

std::string connect_race::describe() const {
    std::string text = "connecting to ";
    for (std::size_t i = 0; i < started_; ++i) {
        if (problems_[i].error == 0) text += (text.back() == ' ' ? "" : ", ") + addresses_[i].str();
    }
    return text;
}

} // namespace rondo::detail
