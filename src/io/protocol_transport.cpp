#include "io/protocol_transport.hpp"

#include <rondo/coro/exceptions.hpp>

#include "io/protocol_stream.hpp"

#include <utility>

namespace rondo::detail {

protocol_transport::protocol_transport(protocol_stream& stream) noexcept : stream_transport(stream), owner_(stream) {}

void protocol_transport::close() { owner_.stop(); }
void protocol_transport::abort() { owner_.break_off(); }
void protocol_transport::pause_reading() { owner_.pause_reading(); }
void protocol_transport::resume_reading() { owner_.resume_reading(); }
bool protocol_transport::is_reading() const noexcept { return owner_.is_reading(); }

void protocol_transport::set_protocol(std::shared_ptr<protocol> p) {
    if (!p) throw value_error("set_protocol(): a transport needs a protocol");
    owner_.set_protocol(std::move(p));
}
std::shared_ptr<protocol> protocol_transport::get_protocol() const { return owner_.protocol(); }

} // namespace rondo::detail
