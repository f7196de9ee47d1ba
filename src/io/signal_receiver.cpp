#include <rondo/io/signal_receiver.hpp>

#include <rondo/loop/detail/signal_listener.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/shared_core.hpp"

#include <algorithm>
#include <memory>

namespace rondo {

namespace detail {

class signal_mailbox final : public shared_core {
public:
    signal_mailbox(event_loop& loop, std::vector<int> signals) : loop_(loop) {
        std::sort(signals.begin(), signals.end());
        signals.erase(std::unique(signals.begin(), signals.end()), signals.end());
        waiting_signals_.reserve(signals.size());
        try {
            for (const int signal : signals) {
                listeners_.push_back(std::make_unique<listener>(*this, signal));
                listen_for_signal(loop, *listeners_.back());
            }
        } catch (...) {
            close();
            throw;
        }
    }
    bool closed() const noexcept { return closed_; }
    void close() noexcept {
        closed_ = true;
        for (const auto& l : listeners_) stop_listening(loop_, *l);
        waiting_signals_.clear();
        while (!waiting_tasks_.empty()) waiting_tasks_.pop_front().give(std::nullopt);
    }
    std::optional<int> take() noexcept {
        if (waiting_signals_.empty()) return std::nullopt;
        const int first = waiting_signals_.front();
        waiting_signals_.erase(waiting_signals_.begin());
        return first;
    }
    /// A signal that was given to a task which is cancelled: it is the oldest.
    void take_back(int signal) noexcept {
        if (closed_) return;
        if (!waiting_tasks_.empty()) waiting_tasks_.pop_front().give(signal);
        else if (!has(signal)) waiting_signals_.insert(waiting_signals_.begin(), signal);
    }
    void wait(signal_awaiter& a) noexcept { waiting_tasks_.push_back(a); }
    void stop_waiting(signal_awaiter& a) noexcept { waiting_tasks_.erase(a); }

private:
    struct listener : signal_listener {
        listener(signal_mailbox& m, int signal) noexcept : signal_listener(signal, &arrived_at), mailbox(m) {}
        static void arrived_at(signal_listener& l) noexcept { static_cast<listener&>(l).mailbox.arrived(l.signal); }
        signal_mailbox& mailbox;
    };

    ~signal_mailbox() override { close(); }
    void destroy() noexcept override { delete this; }
    bool has(int signal) const noexcept {
        return std::find(waiting_signals_.begin(), waiting_signals_.end(), signal) != waiting_signals_.end();
    }
    void arrived(int signal) noexcept {
        if (!waiting_tasks_.empty()) waiting_tasks_.pop_front().give(signal);
        else if (!has(signal)) waiting_signals_.push_back(signal);
    }

    event_loop& loop_;
    std::vector<std::unique_ptr<listener>> listeners_;
    std::vector<int> waiting_signals_; // each once; room for all of them
    waiting_list<signal_awaiter> waiting_tasks_;
    bool closed_ = false;
};

void retain(signal_mailbox& m) noexcept { m.add_reference(); }
void release(signal_mailbox& m) noexcept { m.drop_reference(); }

signal_awaiter::~signal_awaiter() {
    if (listed_ && is_waiting()) from_->stop_waiting(*this);
}

bool signal_awaiter::try_now() noexcept {
    if (!from_ || from_->closed()) return true;
    given_ = from_->take();
    return given_.has_value();
}

void signal_awaiter::enqueue() noexcept {
    listed_ = true;
    from_->wait(*this);
}

cancel_outcome signal_awaiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    from_->stop_waiting(*this);
    listed_ = false;
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::exception_ptr signal_awaiter::failure() {
    std::exception_ptr interruption = take_interruption();
    if (interruption && given_) from_->take_back(*std::exchange(given_, std::nullopt));
    return interruption;
}

std::string signal_awaiter::describe() const { return "waiting for a signal"; }

} // namespace detail

signal_receiver::signal_receiver(std::vector<int> signals)
    : from_(detail::counted_ptr<detail::signal_mailbox>::adopt(
          new detail::signal_mailbox(running_loop(), std::move(signals)))) {}

signal_receiver& signal_receiver::operator=(signal_receiver&& other) noexcept {
    if (this != &other) {
        close();
        from_ = std::move(other.from_);
    }
    return *this;
}

signal_receiver::~signal_receiver() { close(); }

void signal_receiver::close() noexcept {
    if (from_ && !from_->closed()) from_->close();
}

} // namespace rondo
