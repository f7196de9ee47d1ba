// Connecting to the first of several addresses that answers.
#pragma once

#include <rondo/io/open_connection.hpp>
#include <rondo/loop/detail/operation.hpp>
#include <rondo/loop/detail/timer.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include "io/socket_address.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace rondo::detail {

class os;

struct connected_socket {
    int fd;
    address peer;
    int family;
};

/// An attempt each time one fails or the delay has passed. The operations live here, so the await ends only when all of them
/// have: by then every descriptor but the winner's is closed. Of the options it looks at local_address, protocol,
/// happy_eyeballs_delay and all_errors.
class connect_race final : public leaf_awaiter<connect_race, connected_socket> {
public:
    connect_race(event_loop& loop, std::vector<address> addresses, const connect_options& options);
    connect_race(const connect_race&) = delete;
    connect_race& operator=(const connect_race&) = delete;
    ~connect_race();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now() const noexcept { return false; }
    void enqueue() noexcept;
    std::exception_ptr failure();
    connected_socket value();

private:
    enum class step : std::uint8_t { socket, bind, connect };
    struct problem {
        int error = 0; // errno; 0 while there is none
        step at = step::connect;
    };
    struct attempt : operation {
        attempt() noexcept : operation(operation_kind::connect, &completed) {}
        connect_race* race = nullptr;
        socket_address to;
        step reached = step::socket;
    };
    struct stagger_timer : timer_node {
        explicit stagger_timer(connect_race& r) noexcept : timer_node(&rings), race(r) {}
        static void rings(timer_node& node, event_loop& loop) noexcept;
        connect_race& race;
    };

    static void completed(operation& op) noexcept;
    bool over() const noexcept { return winner_ || was_cancelled(); }
    void start_next() noexcept;
    int open(attempt& a) noexcept;
    void ended(attempt& a) noexcept;
    void cancel_attempts() noexcept;
    void settle_if_finished() noexcept;
    void close(attempt& a) noexcept;
    std::string text_of(std::size_t i) const;
    std::exception_ptr combined_error() const;

    event_loop& loop_;
    os& os_;
    std::vector<address> addresses_;
    std::optional<address> local_;
    int protocol_;
    delay stagger_;
    bool all_errors_;
    std::unique_ptr<attempt[]> attempts_;
    std::vector<problem> problems_; // by attempt
    std::size_t started_ = 0;
    std::size_t pending_ = 0;
    attempt* winner_ = nullptr;
    stagger_timer timer_{*this};
};

} // namespace rondo::detail
