// Tags for get_extra(): what there is to know of a transport beyond what every transport has.
#pragma once

#include <rondo/io/address.hpp>
#include <rondo/io/transport.hpp>

#include <optional>

/// For base_transport::get_extra() and stream_writer::get_extra(). A tag is any class with a type and of(transport), which gives
/// it or nullopt; does not suspend, throws nothing, O(1). (get_extra_info)
///
///     if (auto peer = writer.get_extra<rondo::extra::peername>()) log(peer->str());
namespace rondo::extra {

/// The other side of a socket; remembered when it is lost. Nothing when it has no name.
struct peername {
    using type = address;
    static std::optional<type> of(const base_transport& t);
};

/// This side of a socket. Nothing when it has no name, or is lost.
struct sockname {
    using type = address;
    static std::optional<type> of(const base_transport& t);
};

/// The descriptor of a socket, which stays the transport's. Nothing when it is lost.
struct socket {
    using type = int;
    static std::optional<type> of(const base_transport& t);
};

/// The descriptor of a pipe, which stays the transport's. Nothing when it is lost.
struct pipe {
    using type = int;
    static std::optional<type> of(const base_transport& t);
};

/// The process of a subprocess_transport: its pid.
struct subprocess {
    using type = int;
    static std::optional<type> of(const base_transport& t);
};

} // namespace rondo::extra
