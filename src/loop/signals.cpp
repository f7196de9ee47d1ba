#include "loop/signals.hpp"

#include "loop/signal_action.hpp"

#include <rondo/coro/exceptions.hpp>

#include "loop/backend/backend.hpp"
#include "loop/inbox.hpp"

#include <cerrno>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace rondo::detail {

namespace {

// What the signal handler touches: only lock-free atomics, and wake(), which is one write(2).
constexpr std::size_t max_listening_loops = 256;
std::array<std::atomic<std::uint32_t>, NSIG> arrivals{};
std::atomic<std::uint32_t> total_arrivals{0};
std::array<std::atomic<signal_dispatcher*>, max_listening_loops> listeners{};
std::atomic<int> handlers_running{0};

struct installed {
    int users = 0;
    struct sigaction before{};
};
std::mutex table_mutex; // guards what follows; never taken by the signal handler
std::map<int, installed> table;

void on_signal(int signal) {
    const int saved_errno = errno;
    handlers_running.fetch_add(1);
    arrivals[static_cast<std::size_t>(signal)].fetch_add(1);
    total_arrivals.fetch_add(1);
    for (auto& listener : listeners) {
        if (signal_dispatcher* d = listener.load()) d->notify();
    }
    handlers_running.fetch_sub(1);
    errno = saved_errno;
}

/// The slot is empty for every handler that starts from now on; wait for those that may have read it before.
void retire(std::atomic<signal_dispatcher*>& slot) {
    slot.store(nullptr);
    while (handlers_running.load() != 0) std::this_thread::yield();
}

int claim_slot(signal_dispatcher& d) {
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        signal_dispatcher* empty = nullptr;
        if (listeners[i].compare_exchange_strong(empty, &d)) return static_cast<int>(i);
    }
    throw runtime_error("more than " + std::to_string(max_listening_loops) + " loops listen to signals");
}

void install(int signal) {
    std::lock_guard<std::mutex> hold(table_mutex);
    installed& here = table[signal];
    if (here.users++ > 0) return;
    struct sigaction action{};
    action.sa_handler = &on_signal;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    if (::sigaction(signal, &action, &here.before) != 0) {
        table.erase(signal);
        throw runtime_error("signal " + std::to_string(signal) + " cannot be caught");
    }
}

void uninstall(int signal) {
    std::lock_guard<std::mutex> hold(table_mutex);
    auto at = table.find(signal);
    if (at == table.end() || --at->second.users > 0) return;
    ::sigaction(signal, &at->second.before, nullptr);
    table.erase(at);
}

} // namespace

bool has_default_action(int signal) noexcept {
    struct sigaction now{};
    return ::sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

bool in_main_thread() noexcept { return ::gettid() == ::getpid(); }

signal_dispatcher::signal_dispatcher(backend& waker, inbox& box)
    : waker_(waker), box_(box), seen_total_(total_arrivals.load()), slot_(claim_slot(*this)) {}

signal_dispatcher::~signal_dispatcher() {
    for (auto& [signal, entry] : entries_) {
        uninstall(signal);
        while (signal_listener* l = entry.listeners) {
            entry.listeners = std::exchange(l->next, nullptr);
            l->linked = false;
        }
    }
    retire(listeners[static_cast<std::size_t>(slot_)]);
}

signal_dispatcher::entry& signal_dispatcher::entry_for(int signal) {
    if (signal <= 0 || signal >= NSIG) throw value_error("there is no signal " + std::to_string(signal));
    if (auto at = entries_.find(signal); at != entries_.end()) return at->second;
    const std::uint32_t seen = arrivals[static_cast<std::size_t>(signal)].load();
    install(signal);
    return entries_.emplace(signal, entry{nullptr, nullptr, seen}).first->second;
}

void signal_dispatcher::drop_if_unused(int signal) noexcept {
    auto at = entries_.find(signal);
    if (at == entries_.end() || at->second.handler || at->second.listeners) return;
    entries_.erase(at);
    uninstall(signal);
}

void signal_dispatcher::add(int signal, std::function<void()> handler) {
    auto shared = std::make_shared<std::function<void()>>(std::move(handler));
    entry_for(signal).handler = std::move(shared);
}

bool signal_dispatcher::remove(int signal) {
    auto at = entries_.find(signal);
    if (at == entries_.end() || !at->second.handler) return false;
    at->second.handler = nullptr;
    drop_if_unused(signal);
    return true;
}

void signal_dispatcher::listen(signal_listener& listener) {
    entry& here = entry_for(listener.signal);
    listener.next = here.listeners;
    here.listeners = &listener;
    listener.linked = true;
}

void signal_dispatcher::unlisten(signal_listener& listener) noexcept {
    if (!listener.linked) return;
    signal_listener** at = &entries_.find(listener.signal)->second.listeners;
    while (*at != &listener) at = &(*at)->next;
    *at = std::exchange(listener.next, nullptr);
    listener.linked = false;
    drop_if_unused(listener.signal);
}

bool signal_dispatcher::pending() const noexcept {
    return total_arrivals.load(std::memory_order_acquire) != seen_total_;
}

void signal_dispatcher::dispatch(const std::function<void(const std::shared_ptr<std::function<void()>>&)>& call) {
    seen_total_ = total_arrivals.load();
    std::vector<std::shared_ptr<std::function<void()>>> due;
    for (auto& [signal, entry] : entries_) {
        const std::uint32_t now = arrivals[static_cast<std::size_t>(signal)].load();
        if (now == entry.seen) continue;
        entry.seen = now;
        for (signal_listener* l = entry.listeners; l; l = l->next) l->arrived(*l);
        if (entry.handler) due.push_back(entry.handler);
    }
    for (const auto& handler : due) call(handler);
}

void signal_dispatcher::notify() noexcept {
    if (box_.must_wake()) waker_.wake();
}

} // namespace rondo::detail
