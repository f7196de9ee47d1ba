// A thread that waits until a descriptor is readable, for somebody who cannot wait for descriptors himself.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace rondo::detail {

class readable_watch {
public:
    /// told() is called in the watch's thread, and must not throw. std::system_error when there can be no such thread.
    readable_watch(int fd, std::function<void()> told);
    readable_watch(const readable_watch&) = delete;
    readable_watch& operator=(const readable_watch&) = delete;
    /// When it returns told() is not being called, and will not be.
    ~readable_watch();

    /// Calls told() once, as soon as fd is readable. Not again before that has happened. Any thread.
    void arm() noexcept;

private:
    void run() noexcept;
    void write_control() noexcept;

    int fd_;
    int control_; // eventfd(2): armed, or to end
    std::function<void()> told_;
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

} // namespace rondo::detail
