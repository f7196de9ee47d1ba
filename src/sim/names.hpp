// The names of a simulated world: what getaddrinfo(3) and getnameinfo(3) give there.
#pragma once

#include <rondo/io/resolver.hpp>
#include <rondo/loop/clock.hpp>

#include "loop/backend/os.hpp"
#include "sim/socket_name.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {
class event_loop;
}

namespace rondo::sim::detail {

class simulation;
struct host_state;

/// value_error: that is no numeric address.
socket_name numeric_name(const std::string& text);

class name_table {
public:
    explicit name_table(simulation& world) noexcept : world_(world) {}
    name_table(const name_table&) = delete;
    name_table& operator=(const name_table&) = delete;
    void clear() noexcept;

    void add(const std::string& name, const std::vector<std::string>& addresses);
    void remove(const std::string& name);

    /// For the host of the running task. 0, or EAI_*.
    int look_up(const rondo::detail::name_request& request, std::vector<rondo::detail::resolved_name>& found);
    int name_of(const socket_name& of, int flags, std::string& host, std::string& service);

    /// From now on the loop's tasks look names up without a thread, and wait for the answer as for a name server's.
    void serve(event_loop& loop);

private:
    class resolver;
    struct trouble {
        int error = 0;
        duration after{};
    };
    /// Of the name server: a name that is known here does not need it.
    trouble choose_trouble();
    int answer(const rondo::detail::name_request& request, std::vector<rondo::detail::resolved_name>& found) const;
    bool is_known_here(const std::string& host) const;
    std::vector<socket_name> addresses_of(std::string_view name, const host_state& asking) const;

    simulation& world_;
    std::map<std::string, std::vector<socket_name>, std::less<>> names_; // in small letters
    bool serves_ = false;
};

} // namespace rondo::sim::detail
