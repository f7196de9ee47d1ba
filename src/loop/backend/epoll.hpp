// The backend on epoll: tries each operation at once, and waits for readiness only after EAGAIN.
#pragma once

#include "loop/backend/native.hpp"
#include "loop/backend/operation_list.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include <sys/epoll.h>

namespace rondo::detail {

/// Level-triggered. For each descriptor and direction the operations that wait stand in a queue, and the first of them is
/// tried when the descriptor becomes ready. A change of interest is told to the kernel in the next wait(), where it may have
/// become unnecessary.
///
/// Interest in reading outlives the operation on descriptors that were opened here (os(), accept), because the next read
/// will come, and such a descriptor is closed here too. Of other descriptors nothing is remembered while nobody waits: they
/// may be closed, and their number be in use again, without our hearing of it.
class epoll_backend final : public native_backend {
public:
    /// Throws std::system_error.
    epoll_backend();
    ~epoll_backend() override;

    backend_kind kind() const noexcept override { return backend_kind::epoll; }
    bool gives_blocks() const noexcept override { return true; }
    bool submit(operation& op) noexcept override;
    void cancel(operation& op) noexcept override;
    void wait(time_point until) noexcept override;
    void drain() noexcept override;
    void abandon() noexcept override;
    void announce(time_point until) noexcept override;
    detail::os& os() noexcept override { return os_; }

private:
    enum direction : std::uint8_t { reading, writing };

    struct descriptor {
        std::array<operation_list, 2> waiting;
        std::uint32_t interest = 0;      // EPOLLIN, EPOLLOUT: what the kernel knows
        std::array<bool, 2> exhausted{}; // nothing to be had until the kernel reports it, if it is interested
        bool ours = false;               // opened here, and so closed here
        bool stream = false;             // a short recv() has emptied it
        bool unwanted = false;           // was readable with nobody reading
        bool changed = false;            // in changed_
    };

    class accounting_os final : public posix_os {
    public:
        explicit accounting_os(epoll_backend& owner) noexcept : owner_(owner) {}
        int open_socket(int family, int type, int protocol) noexcept override;
        int make_pipe(int our_end, std::pair<int, int>& ends) noexcept override;
        int close(int fd) noexcept override;

    private:
        epoll_backend& owner_;
    };

    int show_work(host_descriptor& to) noexcept override { return to.watch(epoll_); }
    static direction direction_of(const operation& op) noexcept;
    descriptor* find(int fd) noexcept;
    descriptor* find_or_make(int fd) noexcept;
    void opened(int fd, bool stream) noexcept;
    void closing(int fd) noexcept;
    void note_success(const operation& op, descriptor* d) noexcept;
    void mark_changed(int fd, descriptor& d) noexcept;
    void apply_changes() noexcept;
    void apply_change(int fd, descriptor& d) noexcept;
    void on_ready(int fd, std::uint32_t events) noexcept;
    void run_waiting(int fd, direction dir) noexcept;
    void finish(operation& op, std::int64_t result) noexcept;
    void fetch_events(time_point until) noexcept;
    void deliver() noexcept;

    int epoll_ = -1;
    bool nanoseconds_ = true;             // epoll_pwait2() exists (Linux 5.11)
    std::vector<descriptor> descriptors_; // by number
    std::vector<int> changed_;
    operation_list done_; // waits for its complete()
    std::size_t pending_ = 0;
    std::size_t received_ = 0;              // in this wait()
    std::array<::epoll_event, 256> events_; // those of [next_event_, events_end_) have their turn in the next wait()
    int next_event_ = 0;
    int events_end_ = 0;
    accounting_os os_{*this};
};

} // namespace rondo::detail
