#include "loop/descriptor_watches.hpp"

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace rondo::detail {

namespace {

std::system_error cannot_watch(int fd, std::int64_t error_number) {
    return {static_cast<int>(error_number), std::system_category(), "cannot watch descriptor " + std::to_string(fd)};
}

} // namespace

class descriptor_watches::watch : public ready_node {
public:
    watch(descriptor_watches& table, int fd, readiness what, std::function<void()> call, call_options&& options)
        : ready_node(&run_queued),
          table_(table),
          call_(std::move(call)),
          context_(options.context ? options.context->state() : fork_context()),
          where_(options.where) {
        poll_.fd = fd;
        poll_.flags = what == readiness::readable ? POLLIN : POLLOUT;
    }

    /// Its descriptor can be watched at all; otherwise the error, negative.
    std::int64_t begin() noexcept {
        if (!backend_of_loop().submit(poll_)) return 0;
        if (poll_.result >= 0) enqueue();
        return std::min<std::int64_t>(poll_.result, 0);
    }
    void remove() noexcept {
        removed_ = true;
        if (phase_ == phase::waiting) backend_of_loop().cancel(poll_);
        if (phase_ != phase::running) call_ = nullptr;
    }
    int fd() const noexcept { return poll_.fd; }
    readiness what() const noexcept { return poll_.flags == POLLIN ? readiness::readable : readiness::writable; }

    watch* next = nullptr;
    watch* previous = nullptr;

private:
    enum class phase : std::uint8_t { waiting, queued, running };
    struct poll_operation : operation {
        explicit poll_operation(watch& w) noexcept : operation(operation_kind::poll, &completed), owner(w) {}
        static void completed(operation& op) noexcept { static_cast<poll_operation&>(op).owner.became_ready(); }
        watch& owner;
    };

    backend& backend_of_loop() const noexcept { return loop_access::backend(table_.loop_); }
    void enqueue() noexcept {
        phase_ = phase::queued;
        loop_access::state(table_.loop_).ready.push(*this);
    }
    void became_ready() noexcept {
        if (removed_) table_.destroy(*this);
        else if (poll_.result < 0) give_up(poll_.result);
        else enqueue();
    }
    void give_up(std::int64_t error) noexcept {
        const int number = fd();
        const std::source_location where = where_;
        event_loop& loop = table_.loop_;
        table_.remove(number, what());
        table_.destroy(*this);
        loop_access::report(loop, {.message = "descriptor " + std::to_string(number) + " is not watched any more",
                                   .exception = std::make_exception_ptr(cannot_watch(number, -error)),
                                   .created_at = where});
    }
    static void run_queued(ready_node& node, event_loop& loop) {
        auto& self = static_cast<watch&>(node);
        if (!self.removed_) self.call(loop);
        if (self.removed_) {
            self.table_.destroy(self);
            return;
        }
        self.phase_ = phase::waiting;
        if (const std::int64_t failed = self.begin(); failed < 0) self.give_up(failed);
    }
    void call(event_loop& loop) {
        phase_ = phase::running;
        const context_switch inside(context_);
        std::exception_ptr error;
        try {
            call_();
        } catch (...) {
            error = std::current_exception();
        }
        if (error && is_exit_request(error)) loop_access::state(loop).exit_request = error;
        else if (error)
            loop_access::report(loop, {.message = "exception in the callback of descriptor " + std::to_string(fd()),
                                       .exception = error,
                                       .created_at = where_});
    }

    descriptor_watches& table_;
    poll_operation poll_{*this};
    std::function<void()> call_;
    context_ref context_;
    std::source_location where_;
    phase phase_ = phase::waiting;
    bool removed_ = false;
};

descriptor_watches::~descriptor_watches() {
    while (all_) destroy(*all_);
}

descriptor_watches::entry* descriptor_watches::find(int fd) noexcept {
    const auto index = static_cast<std::size_t>(fd);
    return fd >= 0 && index < entries_.size() ? &entries_[index] : nullptr;
}

void descriptor_watches::destroy(watch& w) noexcept {
    (w.previous ? w.previous->next : all_) = w.next;
    if (w.next) w.next->previous = w.previous;
    delete &w;
}

void descriptor_watches::make_room(int fd) {
    if (fd < 0) throw value_error(std::to_string(fd) + " is no descriptor");
    if (ended_) throw runtime_error("the event loop is closing");
    int type = 0; // of a socket; what is none is a descriptor all the same
    if (loop_access::backend(loop_).os().get_option(fd, SOL_SOCKET, SO_TYPE, type) == -EBADF)
        throw cannot_watch(fd, EBADF);
    const auto needed = static_cast<std::size_t>(fd) + 1;
    if (needed > entries_.size()) entries_.resize(std::max(needed, 2 * entries_.size()));
}

void descriptor_watches::set(int fd, readiness what, std::function<void()> call, call_options&& options) {
    make_room(fd);
    auto made = std::make_unique<watch>(*this, fd, what, std::move(call), std::move(options));
    remove(fd, what);
    if (const std::int64_t failed = made->begin(); failed < 0) throw cannot_watch(fd, -failed);
    watch* w = find(fd)->watches[static_cast<std::size_t>(what)] = made.release();
    w->next = all_;
    if (all_) all_->previous = w;
    all_ = w;
}

bool descriptor_watches::remove(int fd, readiness what) noexcept {
    entry* here = find(fd);
    watch* w = here ? std::exchange(here->watches[static_cast<std::size_t>(what)], nullptr) : nullptr;
    if (w) w->remove();
    return w != nullptr;
}

void descriptor_watches::add(descriptor_waiter& waiter) noexcept {
    descriptor_waiter*& first = find(waiter.fd)->waiters;
    waiter.next = first;
    waiter.previous = nullptr;
    if (first) first->previous = &waiter;
    first = &waiter;
    waiter.linked = true;
}

void descriptor_watches::erase(descriptor_waiter& waiter) noexcept {
    if (!std::exchange(waiter.linked, false)) return;
    (waiter.previous ? waiter.previous->next : find(waiter.fd)->waiters) = waiter.next;
    if (waiter.next) waiter.next->previous = waiter.previous;
}

void descriptor_watches::notify_closing(int fd) noexcept {
    remove(fd, readiness::readable);
    remove(fd, readiness::writable);
    entry* here = find(fd);
    while (here && here->waiters) {
        descriptor_waiter& waiter = *here->waiters;
        erase(waiter);
        waiter.closing(waiter);
    }
}

void descriptor_watches::end() noexcept {
    ended_ = true;
    for (watch *w = all_, *next = nullptr; w; w = next) {
        next = w->next;
        remove(w->fd(), w->what());
    }
}

} // namespace rondo::detail
