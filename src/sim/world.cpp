#include <rondo/sim/world.hpp>

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/sleep.hpp>

#include "sim/simulation.hpp"

#include <utility>

namespace rondo::sim {

namespace {

detail::simulation& here() {
    if (detail::current_simulation) return *detail::current_simulation;
    throw runtime_error("this is not a simulated run");
}

const detail::simulation& inside(const simulated_world& w) noexcept {
    return static_cast<const detail::simulation&>(w);
}
detail::simulation& inside(simulated_world& w) noexcept { return static_cast<detail::simulation&>(w); }
detail::host_state& inside(host& h) noexcept { return static_cast<detail::host_state&>(h); }
const detail::host_state& inside(const host& h) noexcept { return static_cast<const detail::host_state&>(h); }

} // namespace

time_point simulated_world::now() const noexcept { return inside(*this).now; }
std::chrono::system_clock::time_point simulated_world::wall_now() const noexcept { return inside(*this).wall(); }
void simulated_world::step_wall_clock(duration by) noexcept { inside(*this).step_wall(by); }
void simulated_world::set_wall_clock_drift(double parts_per_million) noexcept {
    inside(*this).set_wall_drift(parts_per_million);
}
std::uint64_t simulated_world::seed() const noexcept { return inside(*this).seed; }

host& simulated_world::add_host(std::string name) {
    detail::host_state& made = inside(*this).hosts.add(std::move(name), {});
    inside(*this).names.serve(running_loop());
    return made;
}
host& simulated_world::add_host(std::string name, const host_list& addresses) {
    if (addresses.names().empty()) throw value_error("a host without an address");
    detail::host_state& made = inside(*this).hosts.add(std::move(name), addresses.names());
    inside(*this).names.serve(running_loop());
    return made;
}
host& simulated_world::body_host() noexcept { return inside(*this).hosts.body(); }
host& simulated_world::find_host(std::string_view name) {
    if (detail::host_state* found = inside(*this).hosts.with_name(name)) return *found;
    throw lookup_error("there is no host '" + std::string(name) + "'");
}

void simulated_world::add_name(const std::string& name, const host_list& addresses) {
    inside(*this).names.add(name, addresses.names());
    inside(*this).names.serve(running_loop());
}
void simulated_world::remove_name(const std::string& name) { inside(*this).names.remove(name); }

void simulated_world::set_latency(host& a, host& b, duration one_way) {
    if (one_way < duration::zero()) throw value_error("a latency below zero");
    inside(*this).hosts.set_latency(inside(a), inside(b), one_way);
    inside(*this).hosts.set_latency(inside(b), inside(a), one_way);
}
void simulated_world::partition(host& a, host& b) {
    inside(*this).hosts.cut(inside(a), inside(b), true);
    partition_one_way(b, a);
}
void simulated_world::partition_one_way(host& from, host& to) {
    inside(*this).hosts.cut(inside(from), inside(to), true);
    inside(*this).network.paths_changed();
}
void simulated_world::heal(host& a, host& b) {
    inside(*this).hosts.cut(inside(a), inside(b), false);
    inside(*this).hosts.cut(inside(b), inside(a), false);
}
void simulated_world::heal() { inside(*this).hosts.heal(); }

const std::string& host::name() const noexcept { return inside(*this).name; }
std::string host::ip() const {
    const auto& addresses = inside(*this).addresses;
    return addresses.empty() ? std::string() : addresses.front().ip();
}
bool host::is_up() const noexcept { return inside(*this).up; }

void host::start(std::function<coro<>()> program, std::source_location where) {
    detail::host_state& self = inside(*this);
    if (self.running && !self.running.done()) throw runtime_error("host '" + self.name + "' runs a program already");
    static_cast<void>(options_here(where));
    self.program = std::move(program);
    self.started_at = where;
    self.world.hosts.run_program(self);
}
void host::crash() { inside(*this).world.hosts.crash(inside(*this)); }
void host::restart() { inside(*this).world.hosts.restart(inside(*this)); }

task_options host::options_here(std::source_location where) const {
    const detail::host_state& self = inside(*this);
    if (!self.up) throw host_down_error(detail::crash_message(self));
    return {.context = self.world.hosts.context_on(self), .where = where};
}

void host::rethrow(const std::exception_ptr& error) const {
    const auto* cancelled = rondo::detail::exception_cast<cancelled_error>(error);
    if (cancelled && cancelled->message() == detail::crash_message(inside(*this)))
        throw host_down_error(cancelled->message());
    std::rethrow_exception(error);
}

host& this_host() { return *here().hosts.here().host; }

void simulated_world::set_faults(const fault_classes& faults) noexcept { inside(*this).faults = faults; }
simulated_files simulated_world::files() noexcept { return simulated_files(inside(*this)); }
void simulated_world::lose_power() {
    const detail::allocating_for_the_world own;
    inside(*this).files.disk.lose_power(inside(*this));
}
void simulated_world::add_program(std::string name, program body) {
    inside(*this).processes.add_program(std::move(name), std::move(body));
}
void simulated_world::raise(int signal) { inside(*this).signals.raise(signal); }

simulated_world& world() { return here(); }

std::uint32_t choose(std::uint32_t n, label what) {
    if (n == 0) throw value_error("there is nothing to choose from");
    const detail::allocating_for_the_world own;
    return here().choose(n, what);
}
bool perhaps(label what) { return choose(2, what) != 0; }

coro<> hesitate(label what) {
    for (std::uint32_t passes = choose(4, what); passes > 0; --passes) co_await yield();
}

coro<> wait_all_tasks_blocked() {
    future<> idle = running_loop().create_future<>();
    here().tell_when_idle(idle);
    co_await idle;
}

} // namespace rondo::sim
