#include "loop/backend/host_descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace rondo::detail {

namespace {

constexpr time_point earliest{duration(1)}; // all zeroes would disarm the timer

void close_descriptor(int& fd) noexcept {
    if (fd >= 0) ::close(std::exchange(fd, -1));
}

} // namespace

int host_descriptor::watch(int fd) noexcept {
    ::epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int host_descriptor::open() noexcept {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    int error = epoll_ < 0 ? -errno : 0;
    if (!error) {
        timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        error = timer_ < 0 ? -errno : 0;
    }
    if (!error) error = watch(timer_);
    if (error) close();
    else set(time_point::min());
    return error;
}

void host_descriptor::close() noexcept {
    close_descriptor(epoll_);
    close_descriptor(timer_);
    when_ = time_point::max();
}

void host_descriptor::set(time_point when) noexcept {
    when = std::max(when, earliest);
    if (when == when_) return;
    when_ = when;
    ::itimerspec t{};
    if (when != time_point::max()) {
        const duration since = when.time_since_epoch();
        t.it_value.tv_sec = since / std::chrono::seconds(1);
        t.it_value.tv_nsec = (since % std::chrono::seconds(1)).count();
    }
    ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &t, nullptr);
}

} // namespace rondo::detail
