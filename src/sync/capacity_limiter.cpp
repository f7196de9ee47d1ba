#include <rondo/sync/capacity_limiter.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/task/detail/current.hpp>

namespace rondo {

namespace {

std::string has_one_already(const detail::borrower& who) {
    return "'" + who.name() + "' has already borrowed a token of this capacity_limiter";
}

} // namespace

capacity_limiter::~capacity_limiter() {
    borrowers_.for_each([](const detail::borrower& b) {
        if (b.token) b.token->limiter_ = nullptr;
    });
}

detail::limiter_awaiter<void> capacity_limiter::acquire_on_behalf_of(const void* borrower, std::string_view name) {
    if (!borrower) throw value_error("a borrower has an address: it is what release_on_behalf_of() takes");
    return {*this, {.key = borrower, .given_name = std::string(name)}};
}

void capacity_limiter::acquire_nowait() {
    detail::task_record& task = detail::current_record();
    detail::borrower who{.key = &task, .task = detail::counted_ptr<detail::task_record>(&task)};
    if (borrowers_.contains(&task)) throw runtime_error(has_one_already(who));
    if (available_tokens() == 0) throw would_block();
    waiting_.check_thread();
    borrowers_.insert(std::move(who));
}

void capacity_limiter::release() { release_on_behalf_of(&detail::current_record()); }

void capacity_limiter::release_on_behalf_of(const void* borrower) {
    waiting_.check_thread();
    if (!borrowers_.erase(borrower)) throw runtime_error("this borrower has no token of this capacity_limiter");
    hand_over();
}

void capacity_limiter::set_total_tokens(std::size_t n) {
    waiting_.check_thread();
    total_ = n;
    hand_over();
}

void capacity_limiter::hand_over() noexcept {
    while (!waiting_.empty() && available_tokens() > 0) waiting_.promise_first(promised_);
}

/// Those whose token is on its way come last.
std::vector<const detail::borrower*> capacity_limiter::in_order() const {
    std::vector<const detail::borrower*> all = borrowers_.in_order();
    for (const detail::waiter* w = promised_.first(); w; w = detail::line::behind(*w))
        all.push_back(&static_cast<const detail::limiter_waiter*>(w)->who_);
    return all;
}

limiter_statistics capacity_limiter::statistics() const {
    limiter_statistics now{
        .total_tokens = total_, .borrowed_tokens = borrowed_tokens(), .tasks_waiting = waiting_.size()};
    for (const detail::borrower* b : in_order()) now.borrowers.push_back(b->name());
    return now;
}

guard<capacity_limiter>::guard(capacity_limiter& held) : guard(held, &detail::current_record()) {}

namespace detail {

void limiter_token::release() noexcept {
    if (capacity_limiter* const limiter = std::exchange(limiter_, nullptr)) limiter->release_on_behalf_of(this);
}

limiter_waiter::~limiter_waiter() { give_back(); }

bool limiter_waiter::try_now() {
    capacity_limiter& l = *limiter_;
    if (!who_.key || who_.token) who_.task = counted_ptr<task_record>(task());
    if (!who_.key) who_.key = task();
    if (l.borrowers_.contains(who_.key)) return true;
    if (l.available_tokens() > 0 && l.promised_.empty()) {
        l.promised_.push(*this);
        return true;
    }
    if (!l.bound_.bind(task()->loop())) throw_bound_elsewhere("a capacity_limiter");
    return false;
}

void limiter_waiter::enqueue() noexcept {
    if (limiter_->available_tokens() == 0) {
        limiter_->waiting_.push(*this);
        return;
    }
    limiter_->promised_.push(*this); // it resumes behind those who were promised theirs before
    settle();
}

std::exception_ptr limiter_waiter::failure() noexcept {
    if (std::exception_ptr interruption = take_interruption()) {
        give_back();
        return interruption;
    }
    if (std::exception_ptr gone = abandonment()) return gone;
    if (!limiter_->borrowers_.contains(who_.key)) return nullptr;
    give_back();
    return std::make_exception_ptr(runtime_error(has_one_already(who_)));
}

const void* limiter_waiter::take() {
    struct unless_taken {
        limiter_waiter& self;
        ~unless_taken() { self.give_back(); }
    } at_end{*this};
    const void* const key = who_.key;
    limiter_token* const token = who_.token;
    limiter_->borrowers_.insert(std::move(who_));
    limiter_->promised_.remove(*this);
    if (token) token->limiter_ = limiter_;
    return key;
}

void limiter_waiter::give_back() noexcept {
    if (!stands_in(limiter_->promised_)) return;
    limiter_->promised_.remove(*this);
    limiter_->hand_over();
}

std::string limiter_waiter::describe() const {
    constexpr std::size_t named = 3;
    const std::vector<const borrower*> holders = limiter_->in_order();
    std::string text = "waiting for one of " + std::to_string(limiter_->total_) + " tokens";
    for (std::size_t i = 0; i < holders.size() && i < named; ++i)
        text += (i == 0 ? ", borrowed by '" : ", '") + holders[i]->name() + "'";
    if (holders.size() > named) text += " and " + std::to_string(holders.size() - named) + " more";
    return text;
}

void limiter_waiter::waits_for(std::vector<const future_state*>& who) const {
    for (const borrower* b : limiter_->in_order()) {
        if (b->task) who.push_back(b->task.get());
    }
}

} // namespace detail
} // namespace rondo
