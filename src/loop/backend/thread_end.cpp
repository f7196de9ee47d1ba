#include "loop/backend/thread_end.hpp"

#include "coro/held_over_fork.hpp"

#include <mutex>

namespace rondo::detail {

namespace {

std::mutex& lists_mutex() {
    static std::mutex& mutex = *new std::mutex; // never destroyed: threads may end after static destructors ran
    return mutex;
}

constinit thread_local bool has_ended = false;

} // namespace

struct thread_end_watcher::thread_list {
    thread_end_watcher* first = nullptr;

    static thread_list& mine() noexcept {
        static thread_local thread_list list;
        return list;
    }
    thread_end_watcher* take_first() noexcept {
        std::lock_guard<std::mutex> lock(lists_mutex());
        thread_end_watcher* watcher = first;
        if (watcher) {
            first = watcher->next_;
            watcher->thread_ = nullptr;
        }
        return watcher;
    }
    ~thread_list() {
        has_ended = true;
        while (thread_end_watcher* watcher = take_first()) watcher->on_thread_end();
    }
};

void thread_end_watcher::watch_this_thread() noexcept {
    hold_over_fork<lists_mutex>();
    unwatch();
    if (has_ended) return; // in the destructor of another thread-local: nothing more will be told
    thread_list& list = thread_list::mine();
    std::lock_guard<std::mutex> lock(lists_mutex());
    thread_ = &list;
    next_ = list.first;
    list.first = this;
}

void thread_end_watcher::unwatch() noexcept {
    std::lock_guard<std::mutex> lock(lists_mutex());
    if (!thread_) return;
    thread_end_watcher** link = &thread_->first;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
    thread_ = nullptr;
}

} // namespace rondo::detail
