#include "io/protocol_caller.hpp"

#include <rondo/loop/event_loop.hpp>

#include <string>

namespace rondo::detail {

protocol_caller::protocol_caller(event_loop& loop, shared_core& owner)
    : ready_node(&turn), caller_loop_(loop), caller_service_(service<io_service>(loop)), owner_(owner) {}

void protocol_caller::tell_soon() noexcept {
    if (scheduled_) return;
    if (caller_service_.ended()) {
        tell();
        return;
    }
    scheduled_ = true;
    caller_service_.note_scheduled(+1);
    owner_.add_reference();
    loop_access::state(caller_loop_).ready.push(*this);
}

void protocol_caller::turn(ready_node& node, event_loop&) {
    auto& self = static_cast<protocol_caller&>(node);
    self.scheduled_ = false;
    self.caller_service_.note_scheduled(-1);
    self.tell();
    self.owner_.drop_reference();
}

void protocol_caller::report(const char* name, const std::shared_ptr<base_protocol>& of,
                             std::exception_ptr error) noexcept {
    const context_switch inside(context_);
    error_report about{
        .message = std::string("unhandled exception in ") + name, .exception = std::move(error), .protocol = of};
    complete(about);
    loop_access::report(caller_loop_, about);
}

} // namespace rondo::detail
