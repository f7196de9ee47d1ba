// What a world has beside connections: pipes, pairs of sockets, work in threads, datagrams, names.
#pragma once

#include <rondo/io/connect_pipe.hpp>
#include <rondo/io/create_datagram_endpoint.hpp>
#include <rondo/io/readiness.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/sim/stream_pair.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/to_thread.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <memory>
#include <system_error>
#include <utility>

namespace rondo::test {

/// Closes both.
inline coro<> through_a_pipe(std::pair<int, int> ends) {
    auto& os = detail::loop_access::backend(running_loop()).os();
    try {
        co_await running_loop().writable(ends.second);
        auto [reading, ended] =
            co_await running_loop().connect_read_pipe([] { return std::make_shared<protocol>(); }, ends.first);
        ends.first = -1;
    } catch (const std::system_error&) {}
    for (const int fd : {ends.first, ends.second}) {
        if (fd >= 0) os.close(fd);
    }
}

inline coro<> odds_and_ends() {
    running_loop().set_exception_handler([](auto&, const auto&) {});
    try {
        auto& os = detail::loop_access::backend(running_loop()).os();
        std::pair<int, int> ends;
        if (os.make_pipe(0, ends) == 0) co_await through_a_pipe(ends);
        auto [ours, theirs] = sim::memory_stream_pair();
        co_await ours.writer.write("hello\n");
        static_cast<void>(co_await theirs.reader.read_line());
        static_cast<void>(co_await to_thread([] { return 1; }));
    } catch (const std::system_error&) {}
}

inline coro<> datagrams_and_names() {
    const auto& store = sim::world().add_host("store");
    try {
        static_cast<void>(co_await running_loop().getaddrinfo("store", "80"));
    } catch (const std::system_error&) {}
    try {
        auto [to, heard] = co_await running_loop().create_datagram_endpoint(
            [] { return std::make_shared<datagram_protocol>(); }, {.remote_address = address(store.ip(), 53)});
        to->sendto("lost");
        to->sendto("in time");
        to->close();
    } catch (const std::system_error&) {}
}

} // namespace rondo::test
