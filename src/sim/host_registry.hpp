// The hosts of a simulated world, and the paths between them.
#pragma once

#include <rondo/loop/clock.hpp>
#include <rondo/loop/context.hpp>

#include "sim/host_state.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo {
class event_loop;
}

namespace rondo::sim::detail {

class simulation;

class host_registry {
public:
    explicit host_registry(simulation& world) : world_(world), body_(world, 0, "body") {}
    host_registry(const host_registry&) = delete;
    host_registry& operator=(const host_registry&) = delete;
    /// Only the body's host is left, as it was.
    void clear() noexcept;

    /// There is but the body's.
    bool alone() const noexcept { return others_.empty(); }
    host_state& body() noexcept { return body_; }
    /// value_error: a name or an address that is taken, or no address.
    host_state& add(std::string name, const std::vector<std::string>& addresses);
    /// Null: there is none.
    host_state* with_name(std::string_view name) noexcept;
    /// Whose address it is, as `from` sees it: a loopback is its own. Null: nobody's.
    host_state* with_address(const socket_name& where, host_state& from) noexcept;
    template <class F> void each(F f) {
        f(body_);
        for (const auto& h : others_) f(*h);
    }

    /// Of the running task or callback, or of the work that a thread does.
    residence here() const noexcept;
    residence of(const rondo::detail::context_state* context) const noexcept;
    /// The current context, on a host.
    rondo::context context_on(const host_state& where) const;
    /// While it lives, a thread works for that one.
    class working_for {
    public:
        working_for(host_registry& all, residence whom) noexcept
            : all_(all), before_(std::exchange(all.working_for_, whom)) {}
        working_for(const working_for&) = delete;
        working_for& operator=(const working_for&) = delete;
        ~working_for() { all_.working_for_ = before_; }

    private:
        host_registry& all_;
        residence before_;
    };

    // Paths
    /// What `from` sends now would come there, if that is up.
    bool is_open(const host_state& from, const host_state& to) const noexcept { return !path(from, to).cut; }
    /// Both hear each other, and both are up.
    bool answers(const host_state& from, const host_state& to) const noexcept {
        return to.up && is_open(from, to) && is_open(to, from);
    }
    duration latency(const host_state& from, const host_state& to) const noexcept { return path(from, to).latency; }
    void set_latency(const host_state& from, const host_state& to, duration one_way) noexcept;
    void cut(const host_state& from, const host_state& to, bool cut) noexcept;
    void heal() noexcept;

    // Power
    void crash(host_state& which);
    void restart(host_state& which);
    void run_program(host_state& which);
    bool are_several() const noexcept { return !others_.empty(); }
    /// When the body has ended: the others crash.
    void switch_off();
    /// Between two passes: destroys what is left of those who have crashed.
    void bury(event_loop& loop) {
        if (unburied_) [[unlikely]]
            bury_slowly(loop);
    }
    // The run is over: before its loop is closed, and after.
    void forget_tasks() noexcept;
    void forget_programs() noexcept;

private:
    struct path_state {
        bool cut = false;
        duration latency{};
    };
    const path_state& path(const host_state& from, const host_state& to) const noexcept {
        return paths_[from.number][to.number];
    }
    path_state& path(const host_state& from, const host_state& to) noexcept { return paths_[from.number][to.number]; }
    bool is_taken(const socket_name& address) const noexcept;
    socket_name next_address() const;
    void bury_slowly(event_loop& loop);

    simulation& world_;
    host_state body_;
    std::vector<std::unique_ptr<host_state>> others_;
    std::vector<std::vector<path_state>> paths_; // from, to; empty while there are no others
    residence working_for_;                      // null: no thread works
    bool unburied_ = false;
};

} // namespace rondo::sim::detail
