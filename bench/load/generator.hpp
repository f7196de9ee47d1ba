// Closed-loop load on an echo server: each connection keeps `depth` requests in flight and sends the next when an answer has
// come back whole. One thread, io_uring, receives that stay armed: it costs about as much per request as the best server.
#pragma once

#include "histogram.hpp"
#include "watched.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <liburing.h>

namespace load {

struct plan {
    int port = 0;
    unsigned connections = 1;
    std::size_t size = 64; // of a message, bytes
    unsigned depth = 1;
    double seconds = 1.5;
    double warm_up = 0.3; // seconds
    bool spin = false;    // polls instead of blocking: for latency, where waking this process would be most of it
};

struct outcome {
    std::uint64_t requests = 0;
    double seconds = 0;
    double own_cpu_share = 0; // of a core
    histogram latencies;
};

class generator {
public:
    /// Connects, and checks on the first connection that an answer is what was sent. Throws std::runtime_error.
    explicit generator(const plan& p);
    generator(const generator&) = delete;
    generator& operator=(const generator&) = delete;
    ~generator();

    outcome run(watched_server& server);

private:
    struct connection {
        int fd = -1;
        std::size_t received = 0; // of the message that is coming in
        std::vector<std::uint64_t> sent_at;
        std::uint64_t sent = 0;
        std::uint64_t answered = 0;
    };

    void make_buffers();
    io_uring_sqe* next_entry();
    void receive(std::size_t index);
    void send(std::size_t index, unsigned messages, std::uint64_t now);
    void give_back(unsigned buffer);
    void wait();
    void complete(const io_uring_cqe& completion, std::uint64_t now);

    plan plan_;
    io_uring ring_{};
    io_uring_buf_ring* buffer_ring_ = nullptr;
    std::unique_ptr<char[]> pool_;
    std::size_t buffer_bytes_ = 0;
    unsigned buffers_ = 0;
    unsigned given_back_ = 0;
    std::vector<char> message_;
    std::vector<connection> connections_;
    outcome outcome_;
};

/// A blocking connection to the loopback address, TCP_NODELAY; tries again while nobody listens yet.
int connect_to(int port);

} // namespace load
