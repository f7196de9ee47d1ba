// Being told that a thread ends, while it can still act.
#pragma once

namespace rondo::detail {

/// on_thread_end() is called by the watched thread itself, as one of its last acts. Watches at most one thread.
class thread_end_watcher {
public:
    thread_end_watcher() = default;
    thread_end_watcher(const thread_end_watcher&) = delete;
    thread_end_watcher& operator=(const thread_end_watcher&) = delete;

protected:
    ~thread_end_watcher() { unwatch(); }
    /// Watches the calling thread, and no longer the one before. Any thread.
    void watch_this_thread() noexcept;
    /// Any thread.
    void unwatch() noexcept;
    virtual void on_thread_end() noexcept = 0;

private:
    struct thread_list;
    thread_list* thread_ = nullptr;
    thread_end_watcher* next_ = nullptr; // of the same thread
};

} // namespace rondo::detail
