// Signals as they are: one handler for the process, which tells the sinks.
#include "loop/backend/posix_os.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <thread>

#include <pthread.h>

namespace rondo::detail {

namespace {

// What the signal handler touches: lock-free atomics. A slot that has a bit has a sink, which lives until the bit is gone
// and every handler that may have seen it has ended.
struct slot {
    std::atomic<std::uint64_t> watched{0};
    std::atomic<signal_sink*> sink{nullptr};
};
std::array<slot, 256> slots;
std::atomic<int> handlers_running{0};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<signal_sink*>::is_always_lock_free &&
              std::atomic<int>::is_always_lock_free);

struct installation {
    int watchers = 0;
    bool in_place = false; // with no watchers: in the child of a fork
    struct sigaction before{};
};
std::mutex table_mutex; // guards what follows, and the changing of slots; never taken by the signal handler
std::array<installation, last_signal + 1> table;

void on_signal(int signal) {
    const int saved_errno = errno;
    handlers_running.fetch_add(1);
    for (slot& s : slots) {
        if (s.watched.load() & signal_bit(signal)) s.sink.load()->signal_arrived(signal);
    }
    handlers_running.fetch_sub(1);
    errno = saved_errno;
}

slot* slot_of(const signal_sink* sink) noexcept {
    for (slot& s : slots) {
        if (s.sink.load() == sink) return &s;
    }
    return nullptr;
}

void free_if_unused(slot& s) noexcept {
    if (s.watched.load() == 0) s.sink.store(nullptr);
}

void in_child() {
    for (slot& s : slots) {
        s.watched.store(0);
        s.sink.store(nullptr);
    }
    handlers_running.store(0); // those that ran did so in threads that are not here
    for (installation& i : table) i.watchers = 0;
    table_mutex.unlock();
}

/// The child of a fork does not inherit a mutex that a thread it does not have has locked.
void prepare_for_forks() {
    static const int once = ::pthread_atfork([] { table_mutex.lock(); }, [] { table_mutex.unlock(); }, &in_child);
    static_cast<void>(once);
}

} // namespace

int posix_os::watch_signal(int signal, signal_sink& sink) noexcept {
    prepare_for_forks();
    const std::lock_guard<std::mutex> hold(table_mutex);
    slot* s = slot_of(&sink);
    if (!s) s = slot_of(nullptr);
    if (!s) return -EAGAIN;
    if (s->watched.load() & signal_bit(signal)) return 0;
    s->sink.store(&sink);
    installation& here = table[static_cast<std::size_t>(signal)];
    if (!here.in_place) {
        struct sigaction action{};
        action.sa_handler = &on_signal;
        action.sa_flags = SA_RESTART;
        ::sigfillset(&action.sa_mask);
        if (::sigaction(signal, &action, &here.before) != 0) {
            const int error = errno;
            free_if_unused(*s);
            return -error;
        }
        here.in_place = true;
    }
    ++here.watchers;
    s->watched.fetch_or(signal_bit(signal));
    return 0;
}

void posix_os::unwatch_signal(int signal, signal_sink& sink) noexcept {
    const std::lock_guard<std::mutex> hold(table_mutex);
    slot* s = slot_of(&sink);
    if (!s || !(s->watched.load() & signal_bit(signal))) return;
    s->watched.fetch_and(~signal_bit(signal));
    installation& here = table[static_cast<std::size_t>(signal)];
    if (--here.watchers == 0) {
        ::sigaction(signal, &here.before, nullptr);
        here.in_place = false;
    }
    while (handlers_running.load() != 0) std::this_thread::yield();
    free_if_unused(*s);
}

bool posix_os::has_default_action(int signal) noexcept {
    struct sigaction now{};
    return ::sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

} // namespace rondo::detail
