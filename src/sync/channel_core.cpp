#include <rondo/sync/detail/channel_core.hpp>

#include <rondo/sync/errors.hpp>

namespace rondo::detail {

namespace {

/// Those who wait at an end that is being closed are told so.
template <class Waiter>
void dismiss_at(line& waiting, counted_ptr<channel_end> Waiter::* end_of, const channel_end& closed) noexcept {
    waiting.dismiss_if([&](waiter& w) { return (static_cast<Waiter&>(w).*end_of).get() == &closed; });
}

} // namespace

channel_end::channel_end(counted_ptr<channel_core> of, side which) noexcept : core_(std::move(of)), side_(which) {
    ++(side_ == side::sending ? core_->open_senders_ : core_->open_receivers_);
}

void channel_end::close() noexcept {
    if (!std::exchange(open_, false)) return;
    if (side_ == side::sending) core_->close_sender(*this);
    else core_->close_receiver(*this);
}

void channel_core::close_sender(const channel_end& end) noexcept {
    dismiss_at(senders_, &channel_sender::end_, end);
    --open_senders_;
    if (is_over()) receivers_.dismiss_all();
}

void channel_core::close_receiver(const channel_end& end) noexcept {
    dismiss_at(receivers_, &channel_receiver::end_, end);
    if (--open_receivers_ == 0) senders_.dismiss_all();
    taken();
}

channel_statistics channel_core::statistics() const noexcept {
    return {.buffered = available(),
            .capacity = capacity_,
            .open_senders = open_senders_,
            .open_receivers = open_receivers_,
            .tasks_waiting_send = senders_.size(),
            .tasks_waiting_receive = receivers_.size()};
}

bool channel_core::obtain() noexcept {
    while (available() == 0 && !senders_.empty()) admit_first();
    return available() > 0;
}

void channel_core::added() noexcept {
    ++items_;
    serve();
}

void channel_core::removed() noexcept {
    --items_;
    serve();
    taken();
}

/// After the last item, or the last one who could have taken one: nobody waits for what will not come, nothing is kept for
/// nobody. What destroying the items calls finds the channel closed.
void channel_core::taken() noexcept {
    if (is_over()) receivers_.dismiss_all();
    if (open_receivers_ == 0 && promised_.empty() && items_ > 0) {
        items_ = 0;
        destroy_items();
    }
}

void channel_core::serve() noexcept {
    for (;;) {
        if (!receivers_.empty() && available() > 0) receivers_.promise_first(promised_);
        else if (!senders_.empty() && has_room()) admit_first();
        else return;
    }
}

void channel_core::admit_first() noexcept {
    auto& sender = static_cast<channel_sender&>(*senders_.first());
    senders_.dismiss_first();
    try {
        sender.hand_over();
        sender.sent_ = true;
        ++items_;
    } catch (...) {
        sender.refused_ = std::current_exception();
    }
}

void channel_core::check_thread() const {
    senders_.check_thread();
    receivers_.check_thread();
}

void channel_core::bind(event_loop& loop) {
    if (!bound_.bind(loop)) throw_bound_elsewhere("a channel");
}

std::string channel_core::level() const {
    if (capacity_.value() == 0) return "a channel without a buffer";
    const std::string of = capacity_.is_unbounded() ? std::string() : " of " + std::to_string(capacity_.value());
    return "a channel that holds " + std::to_string(available()) + of + " items";
}

bool channel_sender::try_now() {
    if (!end_ || !end_->is_open()) return true;
    channel_core& c = end_->core();
    if (!c.has_receivers()) return true;
    if (c.has_room()) {
        hand_over();
        sent_ = true;
        c.added();
        return true;
    }
    c.bind(task()->loop());
    return false;
}

void channel_sender::enqueue() noexcept { end_->core().senders_.push(*this); }

/// What was sent cannot be called back: then a cancellation that comes now is for the next suspension.
std::exception_ptr channel_sender::failure() noexcept {
    if (sent_) return nullptr;
    if (std::exception_ptr interruption = take_interruption()) return interruption;
    if (refused_) return std::move(refused_);
    if (!end_ || !end_->is_open()) return std::make_exception_ptr(closed_channel());
    return std::make_exception_ptr(broken_channel());
}

std::string channel_sender::describe() const {
    const channel_core& c = end_->core();
    return std::string("waiting for ") + (c.capacity_.value() == 0 ? "a receiver of " : "room in ") + c.level();
}

channel_receiver::~channel_receiver() {
    give_back();
    leave_line(); // before the line dies with end_
}

bool channel_receiver::try_now() {
    if (!end_ || !end_->is_open()) return true;
    channel_core& c = end_->core();
    if (c.promised_.empty() && c.obtain()) {
        c.promised_.push(*this);
        c.serve();
        return true;
    }
    if (c.is_over()) return true;
    c.bind(task()->loop());
    return false;
}

void channel_receiver::enqueue() noexcept {
    channel_core& c = end_->core();
    if (!c.obtain()) {
        c.receivers_.push(*this);
        return;
    }
    c.promised_.push(*this); // it resumes behind those who were promised theirs before
    settle();
    c.serve();
}

std::exception_ptr channel_receiver::obstacle() noexcept {
    if (std::exception_ptr interruption = take_interruption()) {
        give_back();
        return interruption;
    }
    if (has_item() || (end_ && end_->is_open())) return nullptr;
    return std::make_exception_ptr(closed_channel());
}

void channel_receiver::keep() noexcept {
    channel_core& c = end_->core();
    c.promised_.remove(*this);
    --c.items_;
    c.taken();
}

void channel_receiver::give_back() noexcept {
    if (!has_item()) return;
    channel_core& c = end_->core();
    c.promised_.remove(*this);
    c.serve();
    c.taken();
}

std::string channel_receiver::describe() const {
    const channel_core& c = end_->core();
    return "waiting for an item of " + c.level() + ", from " + std::to_string(c.open_senders_) +
           (c.open_senders_ == 1 ? " sender" : " senders");
}

} // namespace rondo::detail
