#include "loop/backend/epoll.hpp"

#include "loop/backend/perform.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo::detail {

namespace {

constexpr std::uint16_t is_done = 1; // operation::note: stands in done_

constexpr std::uint32_t interest_in(int dir) noexcept { return dir == 0 ? EPOLLIN : EPOLLOUT; }

} // namespace

epoll_backend::epoll_backend() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0)
        throw std::system_error(errno, std::system_category(), "event loop: cannot make an epoll descriptor");
    // Edge-triggered, so that the counter never has to be read: each wake() is an event.
    ::epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = wake_descriptor()}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_descriptor(), &event) < 0) {
        const int error = errno;
        ::close(epoll_);
        throw std::system_error(error, std::system_category(), "event loop: cannot watch its eventfd");
    }
}

epoll_backend::~epoll_backend() {
    if (epoll_ >= 0) ::close(epoll_);
}

epoll_backend::direction epoll_backend::direction_of(const operation& op) noexcept {
    switch (op.kind) {
    case operation_kind::write:
    case operation_kind::send:
    case operation_kind::sendmsg:
    case operation_kind::sendfile:
    case operation_kind::connect: return writing;
    case operation_kind::poll: return op.flags & POLLOUT ? writing : reading;
    case operation_kind::read:
    case operation_kind::recv:
    case operation_kind::recvmsg:
    case operation_kind::accept:
    case operation_kind::open: // these three never wait in a queue
    case operation_kind::close:
    case operation_kind::fsync: break;
    }
    return reading;
}

epoll_backend::descriptor* epoll_backend::find(int fd) noexcept {
    const auto index = static_cast<std::size_t>(fd);
    return index < descriptors_.size() ? &descriptors_[index] : nullptr;
}

/// Null when there is no memory. Earlier pointers are void.
epoll_backend::descriptor* epoll_backend::find_or_make(int fd) noexcept {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= descriptors_.size()) {
        try {
            const std::size_t size = std::max(index + 1, 2 * descriptors_.size());
            changed_.reserve(size); // holds a descriptor at most once, so that it never grows later
            descriptors_.resize(size);
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
    }
    return &descriptors_[index];
}

bool epoll_backend::submit(operation& op) noexcept {
    assert(!op.pending());
    assert(op.kind != operation_kind::poll || (op.flags & (POLLIN | POLLOUT)) != (POLLIN | POLLOUT));
    const direction dir = direction_of(op);
    op.result = 0;
    descriptor* d = op.fd >= 0 ? find(op.fd) : nullptr;
    const bool others_wait = d && !d->waiting[dir].empty();
    const bool known = d && d->ours && (d->interest & interest_in(dir));
    // Those who are to read what came have their turn before more comes.
    const bool too_much = received_ >= received_at_once && op.kind == operation_kind::recv && !op.buffer;
    // A connect begins by being tried, whoever else waits.
    if (op.kind == operation_kind::connect || (!others_wait && !too_much && !(known && d->exhausted[dir]))) {
        if (const std::int64_t result = perform(op, false); result != would_block) {
            op.result = result;
            note_success(op, d);
            return true;
        }
        d = find_or_make(op.fd);
        if (d) d->exhausted[dir] = true;
    } else if (!d) {
        d = find_or_make(op.fd);
    }
    if (!d) {
        op.result = -ENOMEM;
        return true;
    }
    tell_host();
    op.phase = operation::state::submitted;
    op.note = 0;
    d->waiting[dir].push_back(op);
    ++pending_;
    if (!others_wait && !known) mark_changed(op.fd, *d);
    return false;
}

void epoll_backend::note_success(const operation& op, descriptor* d) noexcept {
    if (op.result < 0) return;
    if (op.kind == operation_kind::recv) received_ += op.size;
    if (op.kind == operation_kind::accept) {
        opened(static_cast<int>(op.result), d && d->stream);
    } else if (op.kind == operation_kind::recv && d && d->stream && op.result > 0) {
        d->exhausted[reading] = static_cast<std::size_t>(op.result) < op.size;
    }
}

void epoll_backend::cancel(operation& op) noexcept {
    if (op.phase != operation::state::submitted) return;
    tell_host();
    op.phase = operation::state::cancelling;
    if (op.note & is_done) return;
    const direction dir = direction_of(op);
    descriptor& d = *find(op.fd);
    d.waiting[dir].erase(op);
    finish(op, cancelled_result(op));
    if (d.waiting[dir].empty()) mark_changed(op.fd, d);
}

void epoll_backend::finish(operation& op, std::int64_t result) noexcept {
    op.result = result;
    op.note = is_done;
    done_.push_back(op);
}

void epoll_backend::mark_changed(int fd, descriptor& d) noexcept {
    if (d.changed) return;
    d.changed = true;
    changed_.push_back(fd);
}

void epoll_backend::apply_changes() noexcept {
    for (const int fd : changed_) {
        descriptor& d = *find(fd);
        d.changed = false;
        apply_change(fd, d);
    }
    changed_.clear();
}

void epoll_backend::apply_change(int fd, descriptor& d) noexcept {
    std::uint32_t wanted = 0;
    for (const direction dir : {reading, writing}) {
        if (!d.waiting[dir].empty()) wanted |= interest_in(dir);
    }
    if (d.ours && !d.unwanted) wanted |= d.interest & EPOLLIN;
    d.unwanted = false;
    if (wanted == d.interest && (d.ours || wanted == 0)) return;

    ::epoll_event event{.events = wanted, .data = {.fd = fd}};
    if (wanted == 0) {
        ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd,
                    &event); // fails where the descriptor is closed, and so forgotten, already
    } else {
        int failed = ::epoll_ctl(epoll_, d.interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
        if (failed && errno == ENOENT) failed = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
        if (failed && errno == EEXIST) failed = ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
        if (failed) {
            const int error = errno;
            for (operation_list& waiting : d.waiting) {
                while (!waiting.empty()) finish(waiting.pop_front(), -error);
            }
            wanted = 0;
        }
    }
    d.interest = wanted;
}

void epoll_backend::on_ready(int fd, std::uint32_t events) noexcept {
    // An error or hang-up is news for both directions: whoever waits will find it in his own call.
    constexpr std::uint32_t both = EPOLLERR | EPOLLHUP;
    for (const direction dir : {reading, writing}) {
        if (!(events & (interest_in(dir) | both))) continue;
        descriptor& d = *find(fd);
        d.exhausted[dir] = false;
        if (!d.waiting[dir].empty()) {
            run_waiting(fd, dir);
        } else {
            if (dir == reading) d.unwanted = true;
            mark_changed(fd, d);
        }
    }
}

void epoll_backend::run_waiting(int fd, direction dir) noexcept {
    for (descriptor* d = find(fd); !d->exhausted[dir]; d = find(fd)) { // an accepted connection may move descriptors_
        if (d->waiting[dir].empty()) {
            if (dir == writing || !d->ours) mark_changed(fd, *d);
            return;
        }
        operation& op = *d->waiting[dir].front();
        const std::int64_t result = perform(op, true);
        if (result == would_block) {
            d->exhausted[dir] = true;
            return;
        }
        d->waiting[dir].erase(op);
        finish(op, result);
        note_success(op, d);
    }
}

void epoll_backend::wait(time_point until) noexcept {
    host_is_awake();
    apply_changes();
    if (next_event_ == events_end_) fetch_events(until);
    for (received_ = 0; next_event_ < events_end_ && received_ < received_at_once;) {
        const ::epoll_event event = events_[static_cast<std::size_t>(next_event_++)];
        if (event.data.fd != wake_descriptor()) on_ready(event.data.fd, event.events);
    }
    deliver();
}

void epoll_backend::fetch_events(time_point until) noexcept {
    const duration timeout = done_.empty() ? time_left(until) : duration::zero();
    const auto capacity = static_cast<int>(events_.size());
    int ready = -1;
    if (nanoseconds_) {
        const std::timespec t{.tv_sec = timeout / std::chrono::seconds(1),
                              .tv_nsec = (timeout % std::chrono::seconds(1)).count()};
        ready = ::epoll_pwait2(epoll_, events_.data(), capacity, &t, nullptr);
        nanoseconds_ = ready >= 0 || (errno != ENOSYS && errno != EPERM);
    }
    if (!nanoseconds_) {
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
        ready = ::epoll_wait(epoll_, events_.data(), capacity, static_cast<int>(ms));
    }
    next_event_ = 0;
    events_end_ = std::max(ready, 0);
}

void epoll_backend::announce(time_point until) noexcept {
    apply_changes();
    let_host_sleep(done_.empty() && next_event_ == events_end_ ? until : time_point::min());
}

/// What complete() adds to done_ waits for the next wait().
void epoll_backend::deliver() noexcept {
    for (operation_list done = std::exchange(done_, {}); !done.empty();) {
        operation& op = done.pop_front();
        --pending_;
        op.phase = operation::state::idle;
        op.complete(op);
    }
}

void epoll_backend::drain() noexcept {
    while (pending_ > 0) {
        for (descriptor& d : descriptors_) {
            for (operation_list& waiting : d.waiting) {
                while (!waiting.empty()) cancel(*waiting.front());
            }
        }
        wait(time_point::min());
    }
}

void epoll_backend::abandon() noexcept {
    const auto let_go = [](operation_list& operations) {
        while (!operations.empty()) operations.pop_front().phase = operation::state::idle;
    };
    let_go(done_);
    for (descriptor& d : descriptors_) std::for_each(d.waiting.begin(), d.waiting.end(), let_go);
    descriptors_.clear();
    changed_.clear();
    events_end_ = next_event_;
    pending_ = 0;
    ::close(std::exchange(epoll_, -1));
    close_descriptors();
}

void epoll_backend::opened(int fd, bool stream) noexcept {
    if (descriptor* d = find_or_make(fd)) { // without memory it is treated as somebody else's, which is right too
        d->ours = true;
        d->stream = stream;
    }
}

/// What still waits is cancelled: under io_uring it would go on, but on a descriptor that nobody can name any more.
void epoll_backend::closing(int fd) noexcept {
    descriptor* d = fd >= 0 ? find(fd) : nullptr;
    if (!d) return;
    for (operation_list& waiting : d->waiting) {
        while (!waiting.empty()) {
            operation& op = waiting.pop_front();
            finish(op, cancelled_result(op));
        }
    }
    // Closing alone would not end the kernel's interest where a forked child has a copy.
    if (d->interest) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    const bool changed = d->changed;
    *d = descriptor{};
    d->changed = changed;
}

int epoll_backend::accounting_os::open_socket(int family, int type, int protocol) noexcept {
    const int fd = posix_os::open_socket(family, type, protocol);
    if (fd >= 0) owner_.opened(fd, type == SOCK_STREAM);
    return fd;
}

int epoll_backend::accounting_os::make_pipe(int our_end, std::pair<int, int>& ends) noexcept {
    const int result = posix_os::make_pipe(our_end, ends);
    if (result >= 0) owner_.opened(our_end == 0 ? ends.first : ends.second, false);
    return result;
}

int epoll_backend::accounting_os::close(int fd) noexcept {
    owner_.closing(fd);
    return posix_os::close(fd);
}

} // namespace rondo::detail
