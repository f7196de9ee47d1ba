#include "loop/backend/native.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <ctime>
#include <system_error>

#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

namespace rondo::detail {

native_backend::native_backend() : wake_descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_descriptor_ < 0)
        throw std::system_error(errno, std::system_category(), "event loop: cannot make an eventfd");
    // Without getrandom (old sandboxes) the seed is the time: nothing that must be unguessable hangs on random().
    if (::getrandom(random_state_.data(), sizeof random_state_, GRND_NONBLOCK) != sizeof random_state_) {
        random_state_ = {static_cast<std::uint64_t>(now().time_since_epoch().count()),
                         static_cast<std::uint64_t>(wall_now().time_since_epoch().count()),
                         static_cast<std::uint64_t>(::getpid()), 1};
    }
    random_state_[0] |= 1; // all zeroes is the one state that xoshiro never leaves
}

native_backend::~native_backend() { close_descriptors(); }

void native_backend::close_descriptors() noexcept {
    if (wake_descriptor_ >= 0) ::close(wake_descriptor_);
    wake_descriptor_ = -1;
    host_.close();
    host_sleeps_ = false;
}

int native_backend::poll_fd() noexcept {
    if (host_.is_open()) return host_.number();
    int error = host_.open();
    if (!error) error = show_work(host_);
    if (error) host_.close();
    return error ? error : host_.number();
}

void native_backend::let_host_sleep(time_point until) noexcept {
    host_.set(until);
    host_sleeps_ = true;
}

void native_backend::wake_host() noexcept {
    host_sleeps_ = false;
    host_.set(time_point::min());
}

void native_backend::wake() noexcept {
    // A full counter (EAGAIN) wakes as well as one more. errno is the interrupted code's where a signal handler calls this.
    const int saved = errno;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_descriptor_, &one, sizeof one);
    errno = saved;
}

time_point native_backend::now() const noexcept {
    std::timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

std::chrono::system_clock::time_point native_backend::wall_now() const noexcept {
    return std::chrono::system_clock::now();
}

/// xoshiro256** (Blackman, Vigna 2018): 1 ns, and good in all its bits.
std::uint64_t native_backend::random() noexcept {
    auto& s = random_state_;
    const std::uint64_t result = std::rotl(s[1] * 5, 7) * 9;
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = std::rotl(s[3], 45);
    return result;
}

duration native_backend::time_left(time_point until) const noexcept {
    // A deadline of the distant past is the usual way to ask for no waiting: it costs no look at the clock.
    if (until <= time_point{}) return duration::zero();
    if (until == time_point::max()) return longest_wait;
    return std::clamp(until - now(), duration::zero(), longest_wait);
}

} // namespace rondo::detail
