#include "generator.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace load {

namespace {

constexpr std::uint64_t send_mark = 1ull << 63; // in user_data: a send; the rest is the connection's index
constexpr std::uint16_t group = 1;
constexpr std::size_t largest_buffer = 65536;

std::uint64_t now_nanoseconds() noexcept {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(t.tv_nsec);
}

double own_cpu_seconds() noexcept {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void must(int result, const char* what) {
    if (result < 0) throw std::system_error(-result, std::generic_category(), what);
}

/// One message of a pattern that no buffer holds by chance, there and back.
void check_echo(int fd, std::size_t size) {
    std::vector<char> sent(size);
    for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>(i * 31 + i / 251);
    for (std::size_t at = 0; at < size;) {
        const ssize_t n = ::send(fd, sent.data() + at, size - at, MSG_NOSIGNAL);
        if (n <= 0) throw std::runtime_error("the server took no message");
        at += static_cast<std::size_t>(n);
    }
    std::vector<char> received(size);
    for (std::size_t at = 0; at < size;) {
        const ssize_t n = ::recv(fd, received.data() + at, size - at, 0);
        if (n <= 0) throw std::runtime_error("the server gave no answer");
        at += static_cast<std::size_t>(n);
    }
    if (received != sent) throw std::runtime_error("the answer is not what was sent");
}

} // namespace

int connect_to(int port) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(static_cast<std::uint16_t>(port));
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket");
        if (connect(fd, reinterpret_cast<sockaddr*>(&there), sizeof there) == 0) {
            const int one = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            return fd;
        }
        close(fd);
        usleep(10'000); // the server is starting
    }
    throw std::runtime_error("nobody listens on port " + std::to_string(port));
}

generator::generator(const plan& p) : plan_(p), message_(p.size * p.depth, 'x'), connections_(p.connections) {
    io_uring_params how{};
    how.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    how.cq_entries = 16384;
    must(io_uring_queue_init_params(4096, &ring_, &how), "io_uring_setup");
    io_uring_register_ring_fd(&ring_);
    make_buffers();
    for (connection& c : connections_) {
        c.fd = connect_to(p.port);
        c.sent_at.resize(p.depth);
    }
    check_echo(connections_.front().fd, p.size);
}

generator::~generator() {
    for (const connection& c : connections_)
        if (c.fd >= 0) close(c.fd);
    io_uring_queue_exit(&ring_);
    std::free(buffer_ring_);
}

void generator::make_buffers() {
    buffer_bytes_ = std::clamp<std::size_t>(plan_.size * plan_.depth, 4096, largest_buffer);
    buffers_ =
        std::bit_ceil(std::max(buffer_bytes_ > 16384 ? 64u : 512u, buffer_bytes_ > 16384 ? 0u : plan_.connections));
    void* entries = nullptr;
    if (posix_memalign(&entries, 4096, buffers_ * sizeof(io_uring_buf)) != 0) throw std::bad_alloc();
    buffer_ring_ = static_cast<io_uring_buf_ring*>(entries);
    pool_ = std::make_unique<char[]>(buffers_ * buffer_bytes_);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries);
    registration.ring_entries = buffers_;
    registration.bgid = group;
    must(io_uring_register_buf_ring(&ring_, &registration, 0), "registering buffers");
    io_uring_buf_ring_init(buffer_ring_);
    for (unsigned i = 0; i < buffers_; ++i) give_back(i);
    io_uring_buf_ring_advance(buffer_ring_, static_cast<int>(std::exchange(given_back_, 0u)));
}

void generator::give_back(unsigned buffer) {
    io_uring_buf_ring_add(buffer_ring_, pool_.get() + buffer_bytes_ * buffer, static_cast<unsigned>(buffer_bytes_),
                          static_cast<std::uint16_t>(buffer), io_uring_buf_ring_mask(buffers_),
                          static_cast<int>(given_back_++));
}

io_uring_sqe* generator::next_entry() {
    io_uring_sqe* entry = nullptr;
    while (!(entry = io_uring_get_sqe(&ring_))) io_uring_submit(&ring_);
    return entry;
}

void generator::receive(std::size_t index) {
    io_uring_sqe* entry = next_entry();
    io_uring_prep_recv_multishot(entry, connections_[index].fd, nullptr, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = group;
    entry->user_data = index;
}

void generator::send(std::size_t index, unsigned messages, std::uint64_t now) {
    connection& c = connections_[index];
    for (unsigned i = 0; i < messages; ++i) c.sent_at[c.sent++ % plan_.depth] = now;
    io_uring_sqe* entry = next_entry();
    io_uring_prep_send(entry, c.fd, message_.data(), plan_.size * messages, MSG_WAITALL | MSG_NOSIGNAL);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    entry->user_data = send_mark | index;
}

void generator::wait() {
    if (plan_.spin) {
        io_uring_submit_and_get_events(&ring_);
        return;
    }
    __kernel_timespec at_most{.tv_sec = 1, .tv_nsec = 0};
    io_uring_cqe* first = nullptr;
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, &at_most, nullptr);
}

void generator::complete(const io_uring_cqe& completion, std::uint64_t now) {
    if (completion.user_data & send_mark) return must(completion.res, "send");
    const auto index = static_cast<std::size_t>(completion.user_data);
    connection& c = connections_[index];
    if (completion.res > 0) {
        give_back(completion.flags >> IORING_CQE_BUFFER_SHIFT);
        c.received += static_cast<std::size_t>(completion.res);
        unsigned answers = 0;
        for (; c.received >= plan_.size; c.received -= plan_.size, ++answers)
            outcome_.latencies.add(now - c.sent_at[c.answered++ % plan_.depth]);
        outcome_.requests += answers;
        if (answers) send(index, answers, now);
    } else if (completion.res != -ENOBUFS) {
        throw std::system_error(-completion.res, std::generic_category(), "the server ended a connection");
    }
    if (!(completion.flags & IORING_CQE_F_MORE)) receive(index);
}

outcome generator::run(watched_server& server) {
    std::uint64_t now = now_nanoseconds();
    for (std::size_t i = 0; i < connections_.size(); ++i) {
        receive(i);
        send(i, plan_.depth, now);
    }
    const auto begin = now + static_cast<std::uint64_t>(plan_.warm_up * 1e9);
    const auto end = begin + static_cast<std::uint64_t>(plan_.seconds * 1e9);
    bool measuring = false;
    std::uint64_t measured_from = 0;
    double own_cpu = 0;
    while (now < end) {
        wait();
        now = now_nanoseconds();
        unsigned head = 0;
        unsigned seen = 0;
        io_uring_cqe* completion = nullptr;
        io_uring_for_each_cqe(&ring_, head, completion) {
            ++seen;
            complete(*completion, now);
        }
        if (given_back_) io_uring_buf_ring_advance(buffer_ring_, static_cast<int>(std::exchange(given_back_, 0u)));
        io_uring_cq_advance(&ring_, seen);
        if (!measuring && now >= begin) {
            measuring = true;
            outcome_ = outcome();
            measured_from = now;
            own_cpu = own_cpu_seconds();
            server.start();
        }
    }
    server.stop();
    outcome_.seconds = static_cast<double>(now - measured_from) / 1e9;
    outcome_.own_cpu_share = (own_cpu_seconds() - own_cpu) / outcome_.seconds;
    return outcome_;
}

} // namespace load
