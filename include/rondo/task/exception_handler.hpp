// What an exception handler is told.
#pragma once

#include <rondo/loop/handle.hpp>
#include <rondo/task/task.hpp>

#include <exception>
#include <optional>
#include <source_location>
#include <string>

namespace rondo {

class transport;

/// An error that nobody else will see. Members that do not apply are null.
struct error_context {
    std::string message = {};
    std::exception_ptr exception = nullptr;
    any_future future = {};
    any_task task = {};
    rondo::handle handle = {};
    rondo::transport* transport = nullptr;
    std::optional<std::source_location> created_at = std::nullopt;
};

} // namespace rondo
