// host_list: on what a server listens.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo {

/// One host or several, numeric or names; "" is every interface. What start_server() and create_server() take: a string, or a
/// list of them. None at all is a value_error there.
///
///     auto s = co_await rondo::start_server(handler, {"127.0.0.1", "::1"}, 8080);
class host_list {
public:
    host_list(const char* one) : names_{one} {}
    host_list(std::string one) { names_.push_back(std::move(one)); }
    host_list(std::string_view one) : names_{std::string(one)} {}
    host_list(std::initializer_list<std::string> several) : names_(several) {}
    host_list(std::vector<std::string> several) noexcept : names_(std::move(several)) {}
    host_list(std::nullptr_t) = delete;

    const std::vector<std::string>& names() const noexcept { return names_; }

private:
    std::vector<std::string> names_;
};

} // namespace rondo
