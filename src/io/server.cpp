#include <rondo/io/server.hpp>

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/move_on_after.hpp>

#include "io/server_core.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

namespace rondo {

namespace {

using server_ptr = detail::counted_ptr<detail::server_core>;

// How long a cancelled handler may take, and then one whose connection was broken off.
constexpr duration patience = std::chrono::seconds(1);

detail::server_core& required(const server_ptr& core) {
    if (!core) throw runtime_error("this server was moved from");
    return *core;
}

template <class F> void for_each_connection(detail::server_core& core, F f) {
    for (detail::served_connection* c = core.first_connection(); c;) {
        detail::served_connection* next = c->next();
        f(*c);
        c = next;
    }
}

coro<> start(server_ptr core) {
    if (core->is_closed()) throw runtime_error("this server is closed");
    core->start();
    co_return;
}

coro<> wait_until_over(server_ptr core) { co_await detail::server_closed_awaiter(core); }

coro<> serve(server_ptr core) {
    if (core->is_closed()) throw runtime_error("this server is closed");
    if (core->serving_forever) throw runtime_error("serve_forever() is awaited already");
    struct mark {
        detail::server_core& core;
        explicit mark(detail::server_core& c) noexcept : core(c) { core.serving_forever = true; }
        ~mark() { core.serving_forever = false; }
    } serving(*core);
    core->start();
    auto outcome = co_await as_result(wait_until_over(core));
    if (outcome) co_return;
    core->close();
    cancel_scope shield({.shield = true});
    co_await shield.run([&]() -> coro<> { co_await wait_until_over(core); });
    outcome.value();
}

/// Waits for the connections to end; how many have not.
coro<std::size_t> leave_time(server_ptr core, delay time) {
    static_cast<void>(co_await move_on_after(time, detail::server_closed_awaiter(core)));
    co_return core->connections();
}

void cancel_handlers(detail::server_core& core) {
    for_each_connection(core, [](auto& c) { c.cancel_handler("the server is shutting down"); });
}

coro<shutdown_report> shut_down(server_ptr core, delay grace) {
    core->close();
    const std::size_t all = core->connections();
    shutdown_report report;
    auto left = co_await as_result(leave_time(core, grace));
    if (!left) {
        cancel_handlers(*core);
        left.value();
    }
    report.finished = all - *left;
    if (*left == 0) co_return report;
    cancel_handlers(*core);
    report.aborted = co_await leave_time(core, patience);
    report.cancelled = *left - report.aborted;
    if (report.aborted == 0) co_return report;
    const auto error = detail::os_error(ECONNABORTED, "the server was shut down");
    for_each_connection(*core, [&](auto& c) { c.abort(error); });
    co_await leave_time(core, patience);
    co_return report;
}

} // namespace

server& server::operator=(server&& other) noexcept {
    if (this != &other) {
        if (core_) core_->close();
        core_ = std::move(other.core_);
    }
    return *this;
}
server::~server() {
    if (core_) core_->close();
}

void server::close() { required(core_).close(); }
void server::close_clients() {
    for_each_connection(required(core_), [](auto& c) { c.close(); });
}
void server::abort_clients() {
    for_each_connection(required(core_), [](auto& c) { c.abort(nullptr); });
}

RONDO_CORO_WRAPPER coro<> server::start_serving() {
    required(core_);
    return start(core_);
}
RONDO_CORO_WRAPPER coro<> server::serve_forever() {
    required(core_);
    return serve(core_);
}
RONDO_CORO_WRAPPER coro<> server::wait_closed() {
    required(core_);
    return wait_until_over(core_);
}
RONDO_CORO_WRAPPER coro<shutdown_report> server::shutdown(delay grace) {
    required(core_);
    return shut_down(core_, grace);
}

bool server::is_serving() const noexcept { return core_ && core_->is_serving(); }
std::vector<address> server::addresses() const { return core_ ? core_->addresses() : std::vector<address>(); }
std::uint16_t server::port() const {
    const std::vector<address> where = addresses();
    return where.empty() ? std::uint16_t{0} : where.front().port();
}
event_loop& server::loop() const { return required(core_).loop(); }

} // namespace rondo
