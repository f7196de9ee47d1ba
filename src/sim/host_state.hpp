// A host as the world knows it, and the place where parts of the world keep what they have for each.
#pragma once

#include <rondo/loop/context.hpp>
#include <rondo/sim/host.hpp>
#include <rondo/task/task.hpp>

#include "sim/socket_name.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace rondo::sim::detail {

class simulation;
struct host_state;

/// What one part of the world keeps for a host: its files, its processes. Lives as long as the run.
///
///     struct disk final : host_part {
///         explicit disk(host_state& of);
///         void crashed() noexcept override;          // what was only cached is gone
///     };
///     host_state& here = *world.hosts.here().host;   // of the running task, or of the work of a thread
///     here.part<disk>().open(path);
class host_part {
public:
    host_part() = default;
    host_part(const host_part&) = delete;
    host_part& operator=(const host_part&) = delete;
    virtual ~host_part() = default;

    /// In the middle of a pass: the power has failed. The network has fallen silent; tasks still have their frames.
    virtual void crashed() noexcept {}
    /// Between two passes: operations that tasks of the host wait for complete now, with an error, because their frames will be
    /// destroyed.
    virtual void call_back_operations() noexcept {}
    /// The power is back; the program begins in the next pass.
    virtual void restarted() {}
};

struct host_state final : host {
    host_state(simulation& w, std::size_t n, std::string called) : world(w), number(n), name(std::move(called)) {}

    /// Made on first use: P(host_state&).
    template <class P> P& part() {
        static constexpr char key = 0;
        for (const auto& [k, p] : parts) {
            if (k == &key) return static_cast<P&>(*p);
        }
        auto made = std::make_unique<P>(*this);
        P& p = *made;
        parts.emplace_back(&key, std::move(made));
        return p;
    }
    /// Null: it has none of that family.
    const socket_name* address_of(int family) const noexcept {
        for (const socket_name& a : addresses) {
            if (a.family() == family) return &a;
        }
        return nullptr;
    }

    simulation& world;
    std::size_t number; // 0: the body's
    std::string name;
    std::vector<socket_name> addresses; // beside the loopback
    bool up = true;
    unsigned life = 1; // one more after each crash: what belongs to an earlier one is dead
    std::function<coro<>()> program;
    std::source_location started_at; // start()
    task<> running;                  // the program; null: it has none
    std::vector<std::pair<const void*, std::unique_ptr<host_part>>> parts;
};

/// What they are told who wait for it.
inline std::string crash_message(const host_state& h) { return "host '" + h.name + "' has crashed"; }

/// Where something is: a task, a socket, work for a thread.
struct residence {
    host_state* host = nullptr;
    unsigned life = 0;

    bool alive() const noexcept { return host->up && host->life == life; }
};

} // namespace rondo::sim::detail
