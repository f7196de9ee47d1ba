// Connecting that tries again at once, for ever, whatever the error.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/open_connection.hpp>
#include <rondo/task/sleep.hpp>

#include <cstdint>
#include <system_error>

namespace rondo::test {

/// Gives up when the address says so, which a full table of descriptors never does.
inline coro<> dial(std::uint16_t port) {
    bool done = false;
    bool hopeless = false;
    while (!done) {
        try {
            if (hopeless) throw std::system_error(std::make_error_code(std::errc::too_many_files_open));
            connection c = co_await open_connection("127.0.0.1", port);
            done = true;
        } catch (const std::system_error& e) {
            hopeless = e.code() == std::errc::too_many_files_open;
        }
        co_await yield();
    }
}

} // namespace rondo::test
