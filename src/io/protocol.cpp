#include <rondo/io/datagram_protocol.hpp>
#include <rondo/io/protocol.hpp>
#include <rondo/io/subprocess_protocol.hpp>

namespace rondo {

base_protocol::~base_protocol() = default;
void base_protocol::connection_lost(std::exception_ptr) {}
void base_protocol::pause_writing() {}
void base_protocol::resume_writing() {}

void protocol::connection_made(transport&) {}
void protocol::data_received(std::span<const std::byte>) {}
bool protocol::eof_received() { return false; }

void datagram_protocol::connection_made(datagram_transport&) {}
void datagram_protocol::datagram_received(std::span<const std::byte>, const address&) {}
void datagram_protocol::error_received(std::exception_ptr) {}

void subprocess_protocol::connection_made(subprocess_transport&) {}
void subprocess_protocol::pipe_data_received(int, std::span<const std::byte>) {}
void subprocess_protocol::pipe_connection_lost(int, std::exception_ptr) {}
void subprocess_protocol::process_exited() {}

} // namespace rondo
