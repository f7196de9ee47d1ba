// What a loop's exception handler was told.
#pragma once

#include <rondo/task/exception_handler.hpp>

#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace rondo::test {

/// Without the handles of an error_context: keeping one would keep the task alive.
struct report {
    std::string message;
    std::exception_ptr exception;
    std::optional<std::source_location> created_at;
    bool about_task = false;
    bool about_future = false;
    bool about_handle = false;

    template <class E> bool holds() const { return detail::exception_cast<E>(exception) != nullptr; }
    bool mentions(const std::string& text) const { return message.find(text) != std::string::npos; }
};

class reports {
public:
    void listen(event_loop& loop) {
        loop.set_exception_handler([this](event_loop&, const error_context& what) {
            all_.push_back({what.message, what.exception, what.created_at, static_cast<bool>(what.task),
                            static_cast<bool>(what.future), static_cast<bool>(what.handle)});
        });
    }
    std::size_t count() const noexcept { return all_.size(); }
    /// All so far, which are now forgotten.
    std::vector<report> take() { return std::exchange(all_, {}); }

private:
    std::vector<report> all_;
};

} // namespace rondo::test
