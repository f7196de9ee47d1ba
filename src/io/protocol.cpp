#include <rondo/io/protocol.hpp>

namespace rondo {

base_protocol::~base_protocol() = default;
void base_protocol::connection_lost(std::exception_ptr) {}
void base_protocol::pause_writing() {}
void base_protocol::resume_writing() {}

void protocol::connection_made(transport&) {}
void protocol::data_received(std::span<const std::byte>) {}
bool protocol::eof_received() { return false; }

} // namespace rondo
