// The names of the io floor that event_loop's members mention. They are defined there, and so are the members.
#pragma once

#include <concepts>
#include <type_traits>

namespace rondo {

class address;
class bytes;
class bytes_view;
class host_list;
class server;
class base_protocol;
class protocol;
class datagram_protocol;
class subprocess_protocol;
class base_transport;
class transport;
class datagram_transport;
class resolver;
struct resolved;
class subprocess_transport;
struct connect_options;
struct server_options;
struct datagram_options;
struct subprocess_options;
template <class P, class Transport = transport> struct endpoint;

/// The protocol that a factory makes. A factory is any callable that returns shared_ptr<P>.
template <class F> using factory_protocol_t = typename std::invoke_result_t<F&>::element_type;
template <class F, class P> concept factory_of = std::derived_from<factory_protocol_t<F>, P>;

namespace detail {
template <class T, class> struct late {
    using type = T;
};
/// T, looked at when a function template is used: until then it need not be complete.
template <class T, class F> using late_t = typename late<T, F>::type;
} // namespace detail

} // namespace rondo
