#include "loop/backend/readable_watch.hpp"

#include "loop/backend/os_thread.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace rondo::detail {

readable_watch::readable_watch(int fd, std::function<void()> told)
    : fd_(fd), control_(::eventfd(0, EFD_CLOEXEC)), told_(std::move(told)) {
    if (control_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    try {
        thread_ = start_thread("rondo-guest", [this] { run(); });
    } catch (...) {
        ::close(control_);
        throw;
    }
}

readable_watch::~readable_watch() {
    ending_.store(true);
    write_control();
    thread_.join();
    ::close(control_);
}

void readable_watch::arm() noexcept { write_control(); }

void readable_watch::write_control() noexcept {
    const std::uint64_t one = 1;
    while (::write(control_, &one, sizeof one) < 0 && errno == EINTR) {}
}

void readable_watch::run() noexcept {
    for (;;) {
        std::uint64_t times = 0;
        while (::read(control_, &times, sizeof times) < 0 && errno == EINTR) {}
        std::array<::pollfd, 2> both{
            {{.fd = fd_, .events = POLLIN, .revents = 0}, {.fd = control_, .events = POLLIN, .revents = 0}}};
        while (!ending_.load() && ::poll(both.data(), both.size(), -1) < 0 && errno == EINTR) {}
        if (ending_.load()) return;
        told_();
    }
}

} // namespace rondo::detail
