// What a server does with a connection: the user's callable, its type erased.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/detail/call.hpp>
#include <rondo/io/stream_reader.hpp>
#include <rondo/io/stream_writer.hpp>
#include <rondo/io/tcp_stream.hpp>

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace rondo::detail {

template <class H>
concept handles_connections =
    std::invocable<std::decay_t<H>&, stream_reader, stream_writer> || std::invocable<std::decay_t<H>&, tcp_stream>;

class connection_handler {
public:
    connection_handler() = default;
    connection_handler(const connection_handler&) = delete;
    connection_handler& operator=(const connection_handler&) = delete;
    virtual ~connection_handler() = default;
    /// Calls it. What it returns is to be run as a task; nullopt: it was a plain function, and has done its work.
    virtual std::optional<coro<>> call(stream_reader reader, stream_writer writer) = 0;
};

template <class A> coro<> drop_value(A aw) { static_cast<void>(co_await std::move(aw)); }

template <class H> class handler_of final : public connection_handler {
public:
    template <class G> explicit handler_of(G&& handler) : handler_(std::forward<G>(handler)) {}
    std::optional<coro<>> call(stream_reader reader, stream_writer writer) override {
        if constexpr (std::invocable<H&, stream_reader, stream_writer>)
            return started(std::move(reader), std::move(writer));
        else return started(tcp_stream(std::move(reader), std::move(writer)));
    }

private:
    template <class... Streams> std::optional<coro<>> started(Streams... streams) {
        using R = std::invoke_result_t<H&, Streams...>;
        if constexpr (std::same_as<R, coro<>>) {
            return detail::call(handler_, std::move(streams)...);
        } else if constexpr (awaitable<R>) {
            return drop_value<R>(detail::call(handler_, std::move(streams)...));
        } else {
            static_cast<void>(detail::call(handler_, std::move(streams)...));
            return std::nullopt;
        }
    }

    H handler_;
};

} // namespace rondo::detail
