// Many connections to one server on the loopback, none of which says anything after its first message was echoed.
#pragma once

#include <cstddef>
#include <vector>

namespace load {

class idle_connections {
public:
    idle_connections() = default;
    idle_connections(const idle_connections&) = delete;
    ~idle_connections();

    /// Adds `count`, from several local addresses, for one has no more than 28,000 ports. Throws std::runtime_error.
    void open(int port, std::size_t count);

private:
    std::vector<int> descriptors_;
};

} // namespace load
