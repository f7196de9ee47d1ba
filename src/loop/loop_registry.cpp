#include "loop/loop_registry.hpp"

#include <rondo/loop/event_loop.hpp>

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <set>

namespace rondo::detail {

int process_generation = 0;
constinit thread_local event_loop* current_loop = nullptr;

namespace {

struct registry {
    std::mutex mutex;
    std::set<const event_loop*> loops;
};
registry& the_registry() {
    static registry* r = new registry; // never destroyed: loops may be static objects
    return *r;
}

void after_fork_in_child() {
    ++process_generation;
    if (current_loop) { // the pass that is going on ends after the callback that has forked
        loop_access::state(*current_loop).exit_request = std::make_exception_ptr(runtime_error(
            "this event loop belongs to the parent process: the child of a fork() cannot go on running it"));
    }
    current_loop = nullptr;
    the_registry().mutex.unlock();
}
// Held over fork(), so that the child does not inherit a mutex that a thread it does not have has locked.
void before_fork() { the_registry().mutex.lock(); }
void after_fork_in_parent() { the_registry().mutex.unlock(); }

} // namespace

std::uint64_t new_loop_number() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void register_loop(const event_loop& loop) {
    static const int once = pthread_atfork(&before_fork, &after_fork_in_parent, &after_fork_in_child);
    static_cast<void>(once);
    registry& r = the_registry();
    std::lock_guard<std::mutex> hold(r.mutex);
    r.loops.insert(&loop);
}
void unregister_loop(const event_loop& loop) noexcept {
    registry& r = the_registry();
    std::lock_guard<std::mutex> hold(r.mutex);
    r.loops.erase(&loop);
}
void look_if_registered(const event_loop* loop, void (*look)(const event_loop& loop)) {
    registry& r = the_registry();
    std::lock_guard<std::mutex> hold(r.mutex);
    if (r.loops.contains(loop)) look(*loop);
}
bool is_registered(const event_loop* loop) noexcept {
    registry& r = the_registry();
    std::lock_guard<std::mutex> hold(r.mutex);
    return r.loops.contains(loop);
}

} // namespace rondo::detail
