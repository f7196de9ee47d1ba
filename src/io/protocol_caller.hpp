// How a transport calls its protocol: in turns of its own, in the context in which the transport was asked for.
#pragma once

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/io/protocol.hpp>
#include <rondo/io/transport.hpp>
#include <rondo/loop/context.hpp>
#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/loop/detail/ready_queue.hpp>

#include "io/io_service.hpp"
#include "io/shared_core.hpp"

#include <exception>
#include <memory>
#include <utility>

namespace rondo::detail {

/// Part of a core, which lives as long as a turn is to come.
class protocol_caller : private ready_node {
public:
    protocol_caller(const protocol_caller&) = delete;
    protocol_caller& operator=(const protocol_caller&) = delete;

protected:
    protocol_caller(event_loop& loop, shared_core& owner);
    ~protocol_caller() = default;

    /// tell() will be called in the loop's turn, once however often this was said; at once, when no turn will come.
    void tell_soon() noexcept;
    event_loop& caller_loop() const noexcept { return caller_loop_; }
    /// No turn will come any more.
    bool loop_has_ended() const noexcept { return caller_service_.ended(); }
    /// Calls what there is to be told.
    virtual void tell() noexcept = 0;
    /// Whose protocol it is: transport, socket, where it was made.
    virtual void complete(error_report& about) noexcept = 0;

    /// Calls user code. What it has thrown, or null; an exit request ends the loop's run instead.
    template <class F> std::exception_ptr call(F&& user_code) noexcept {
        const context_switch inside(context_);
        try {
            user_code();
        } catch (...) {
            std::exception_ptr error = std::current_exception();
            if (!is_exit_request(error)) return error;
            loop_access::state(caller_loop_).exit_request = std::move(error);
        }
        return nullptr;
    }
    /// The same, for what has nobody to be told of the error but the exception handler.
    template <class F>
    void call_and_report(const char* name, const std::shared_ptr<base_protocol>& of, F&& user_code) noexcept {
        if (std::exception_ptr error = call(user_code)) report(name, of, std::move(error));
    }
    void report(const char* name, const std::shared_ptr<base_protocol>& of, std::exception_ptr error) noexcept;

private:
    static void turn(ready_node& node, event_loop& loop);

    event_loop& caller_loop_;
    io_service& caller_service_;
    shared_core& owner_;
    context_ref context_ = fork_context();
    bool scheduled_ = false;
};

} // namespace rondo::detail
