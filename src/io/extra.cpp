#include <rondo/io/extra.hpp>

#include <rondo/io/datagram_transport.hpp>
#include <rondo/io/subprocess_transport.hpp>

#include "io/stream_core.hpp"
#include "io/stream_transport.hpp"

namespace rondo::extra {

namespace {

std::optional<address> unless_unnamed(address name) {
    if (name == address()) return std::nullopt;
    return name;
}

std::optional<int> unless_lost(const base_transport& t) {
    if (t.fd() < 0) return std::nullopt;
    return t.fd();
}

bool is_pipe(const base_transport& t) {
    const auto* stream = dynamic_cast<const detail::stream_transport*>(&t);
    if (!stream) return false;
    const detail::stream_kind kind = stream->stream().kind();
    return kind == detail::stream_kind::read_pipe || kind == detail::stream_kind::write_pipe;
}

} // namespace

std::optional<address> peername::of(const base_transport& t) { return unless_unnamed(t.peer_address()); }
std::optional<address> sockname::of(const base_transport& t) { return unless_unnamed(t.local_address()); }
std::optional<int> socket::of(const base_transport& t) { return is_pipe(t) ? std::nullopt : unless_lost(t); }
std::optional<int> pipe::of(const base_transport& t) { return is_pipe(t) ? unless_lost(t) : std::nullopt; }

std::optional<int> subprocess::of(const base_transport& t) {
    const auto* process = dynamic_cast<const subprocess_transport*>(&t);
    if (!process) return std::nullopt;
    return process->get_pid();
}

} // namespace rondo::extra
