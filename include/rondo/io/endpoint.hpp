// endpoint: a transport and the protocol that it talks to.
#pragma once

#include <rondo/loop/detail/io_names.hpp>

#include <memory>

namespace rondo {

/// What create_connection() and its kin give: auto [transport, protocol] = co_await loop.create_connection(...);
template <class P, class Transport> struct endpoint {
    std::shared_ptr<Transport> transport;
    std::shared_ptr<P> protocol;
};

} // namespace rondo
