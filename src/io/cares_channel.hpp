// A channel of c-ares on a loop: its sockets are watched by the loop, its timeouts are the loop's timers.
#pragma once

#include <rondo/io/cares_resolver.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/io_service.hpp"

#include <optional>
#include <vector>

#include <ares.h>

namespace rondo::detail {

/// Opened by the first question, in the loop that asks it; closed with that.
class cares_channel final : public resolver, private io_resource {
public:
    explicit cares_channel(cares_options options) noexcept : options_(std::move(options)) {}
    ~cares_channel() override { close(); }

    coro<std::vector<resolved>> getaddrinfo(name_query query) override;

private:
    struct question;
    void loop_is_closing() noexcept override { close(); }
    bool is_finishing() const noexcept override { return false; }
    void loop_is_closed() noexcept override { close(); }

    void open(event_loop& loop);
    void close() noexcept;
    void process(int readable, int writable) noexcept;
    void set_timer();
    static void socket_changed(void* self, ares_socket_t fd, int readable, int writable) noexcept;
    static void answered(void* asked, int status, int timeouts, ares_addrinfo* found) noexcept;

    cares_options options_;
    event_loop* loop_ = nullptr;
    ares_channel channel_ = nullptr;
    std::optional<timer_handle> timer_;
    bool closed_ = false;
};

} // namespace rondo::detail
