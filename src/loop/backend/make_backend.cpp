#include "loop/backend/backend.hpp"
#include "loop/backend/epoll.hpp"
#include "loop/backend/uring.hpp"
#include "loop/backend/uring_probe.hpp"

#include <rondo/coro/exceptions.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

namespace rondo::detail {

namespace {

backend_kind from_environment() {
    const char* value = std::getenv("RONDO_BACKEND");
    const std::string_view name = value ? value : "";
    if (name.empty()) return backend_kind::automatic;
    if (name == "epoll") return backend_kind::epoll;
    if (name == "uring") return backend_kind::uring;
    throw value_error("RONDO_BACKEND is '" + std::string(name) + "': set it to 'epoll' or 'uring', or leave it unset");
}

std::unique_ptr<backend> make_uring() {
    if (const auto& obstacle = uring_obstacle()) throw *obstacle;
    return std::make_unique<uring_backend>();
}

/// "what" as it was given to the error, which adds the code's own text once more.
std::string text_of(const std::system_error& e) {
    const std::string text = e.what();
    const std::string added = ": " + e.code().message();
    return text.ends_with(added) ? text.substr(0, text.size() - added.size()) : text;
}

} // namespace

std::unique_ptr<backend> make_backend(backend_kind wanted) {
    if (wanted == backend_kind::automatic) wanted = from_environment();
    switch (wanted) {
    case backend_kind::epoll: return std::make_unique<epoll_backend>();
    case backend_kind::uring: try { return make_uring();
        } catch (const std::system_error& e) {
            throw std::system_error(e.code(), "the uring backend was asked for (epoll would do): " + text_of(e));
        }
    case backend_kind::automatic: break;
    }
    try {
        return make_uring();
    } catch (const std::system_error&) {
        return std::make_unique<epoll_backend>();
    }
}

} // namespace rondo::detail
