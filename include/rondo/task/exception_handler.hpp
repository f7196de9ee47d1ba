// What an exception handler is told.
#pragma once

#include <rondo/loop/handle.hpp>
#include <rondo/task/task.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>

namespace rondo {

class base_protocol;
class base_transport;
class transport;

/// An error that nobody else will see. Members that do not apply are null. Transports and sockets are valid during the call.
struct error_context {
    std::string message = {};
    std::exception_ptr exception = nullptr;
    any_future future = {};
    any_task task = {};
    rondo::handle handle = {};
    rondo::transport* transport = nullptr;
    /// Of the task, future or handle; otherwise where the connection, endpoint or server was asked for.
    std::optional<std::source_location> created_at = std::nullopt;
    rondo::base_transport* any_transport = nullptr; // that, or the transport of a datagram endpoint or a subprocess
    std::shared_ptr<rondo::base_protocol> protocol = nullptr;
    int socket = -1;                                             // the descriptor, which stays its owner's
    std::optional<std::source_location> asyncgen = std::nullopt; // the async generator's function
};

} // namespace rondo
