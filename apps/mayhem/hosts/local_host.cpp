#include "hosts/local_host.hpp"

#include "base/error_text.hpp"
#include "base/errors.hpp"
#include "base/see_through.hpp"
#include "hosts/health_probe.hpp"

#include <charconv>
#include <utility>

namespace mayhem {

namespace {

using namespace std::chrono_literals;

// A process starts in some ten milliseconds; a machine that swaps takes longer.
constexpr rondo::duration start_patience = 10s;

std::uint16_t read_port(const std::optional<rondo::bytes>& line) {
    std::uint16_t port = 0;
    const std::string_view text = line ? line->view() : std::string_view();
    const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failed != std::errc() || rest == text.data() + text.size() || *rest != '\n') {
        throw restart_failed("the process ended before it told its port");
    }
    return port;
}

} // namespace

local_host::local_host(std::string program, std::string name) : program_(std::move(program)), name_(std::move(name)) {}

rondo::coro<> local_host::start() {
    rondo::result<void> up = co_await rondo::as_result(rondo::fail_after(start_patience, come_up()));
    if (up) co_return;
    co_await stop();
    if (up.cancelled()) up.value();
    throw restart_failed(name_ + " did not come up: " + error_text(up.error()));
}

rondo::coro<> local_host::come_up() {
    // In a session of its own: Ctrl-C in the terminal is for the service, which takes its hosts down when it is done.
    process_.emplace(co_await rondo::create_subprocess_exec(
        {program_, "host", "--name", name_},
        {.in = rondo::stdio::pipe, .out = rondo::stdio::pipe, .start_new_session = true}));
    const std::uint16_t port = read_port(co_await process_->out->read_line());
    const health answer = co_await probe_health(port);
    if (answer.pid != process_->pid()) throw restart_failed("the health page is another process's");
    if (first_instance_.empty()) first_instance_ = std::to_string(process_->pid());
}

rondo::coro<> local_host::stop() {
    if (!process_) co_return;
    if (!process_->returncode()) process_->kill();
    co_await process_->wait();
    process_.reset();
}

rondo::coro<restart_report> local_host::restart() {
    const rondo::guard<rondo::lock> turn = co_await one_at_a_time_.scoped_lock();
    co_return co_await see_through(rondo::create_task({.name = "restart " + name_}, &local_host::kill_and_start, this));
}

rondo::coro<restart_report> local_host::kill_and_start() {
    const rondo::time_point began = rondo::clock::now();
    const std::string before = status().instance;
    co_await stop();
    co_await start();
    ++restarts_;
    co_return restart_report{.before = before, .after = status().instance, .took = rondo::clock::now() - began};
}

host_status local_host::status() const {
    const bool alive = process_ && !process_->returncode();
    return {.name = name_,
            .instance = alive ? std::to_string(process_->pid()) : std::string(),
            .first_instance = first_instance_,
            .restarts = restarts_};
}

} // namespace mayhem
