// Subprocesses with a protocol: event_loop::subprocess_exec and subprocess_shell.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/detail/protocol_factory.hpp>
#include <rondo/io/endpoint.hpp>
#include <rondo/io/subprocess_options.hpp>
#include <rondo/io/subprocess_protocol.hpp>
#include <rondo/io/subprocess_transport.hpp>
#include <rondo/loop/event_loop.hpp>

#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace rondo {

namespace detail {
coro<endpoint<subprocess_protocol, subprocess_transport>>
subprocess_exec(event_loop& loop, std::unique_ptr<protocol_factory<subprocess_protocol>> factory,
                std::vector<std::string> argv, subprocess_options options, std::source_location where);
} // namespace detail

/// Starts a program as create_subprocess_exec() does, and returns when connection_made() has. The factory is called first: what
/// it throws is thrown, and nothing is started. options.limit means nothing here. Cancelled while the process starts, it is killed
/// and reaped before the cancellation goes on; cancelled after that, it is killed as by close(). To be awaited in this loop:
/// elsewhere runtime_error. (loop.subprocess_exec)
///
///     auto [transport, protocol] = co_await loop.subprocess_exec([] { return std::make_shared<collector>(); },
///                                                                {"ls", "-l"}, {.out = rondo::stdio::pipe});
///     co_await protocol->over.wait();
template <factory_of<subprocess_protocol> F>
coro<endpoint<factory_protocol_t<F>, subprocess_transport>>
event_loop::subprocess_exec(F factory, std::vector<std::string> argv, detail::late_t<subprocess_options, F> options,
                            std::source_location where) {
    co_return detail::typed_endpoint<F>(
        co_await detail::subprocess_exec(*this, detail::erase_factory<subprocess_protocol>(std::move(factory)),
                                         std::move(argv), std::move(options), where));
}

/// The same with /bin/sh -c. Quoting is the caller's. (loop.subprocess_shell)
template <factory_of<subprocess_protocol> F>
coro<endpoint<factory_protocol_t<F>, subprocess_transport>>
event_loop::subprocess_shell(F factory, std::string command, detail::late_t<subprocess_options, F> options,
                             std::source_location where) {
    std::vector<std::string> argv = detail::shell_arguments(std::move(command), options);
    co_return detail::typed_endpoint<F>(
        co_await detail::subprocess_exec(*this, detail::erase_factory<subprocess_protocol>(std::move(factory)),
                                         std::move(argv), std::move(options), where));
}

} // namespace rondo
