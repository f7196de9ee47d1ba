// A network in which every connect() ends as the test has written down, in virtual time.
#pragma once

#include <rondo/io/address.hpp>

#include "io/socket_address.hpp"
#include "loop/backend/operation_list.hpp"
#include "support/forwarding_backend.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rondo::test {

/// What the test writes down, and what it finds there afterwards. Outlives the loop.
struct network_script {
    struct outcome {
        duration after;
        int error; // 0: connected
    };
    struct attempt {
        std::string to;
        duration at; // since the beginning
        friend bool operator==(const attempt&, const attempt&) = default;
    };

    std::map<std::string, std::vector<address>> names; // others do not exist
    std::map<std::string, outcome> outcomes;           // by address::str(); others never answer
    std::set<std::string> absent;                      // by address::ip(): this machine does not have them
    std::vector<attempt> attempts;                     // in their order
    std::vector<detail::name_request> questions;
    int open_sockets = 0;
};

inline address to_address(const ::sockaddr* a, std::uint32_t size) {
    detail::socket_address where;
    std::memcpy(&where.storage, a, size);
    where.size = size;
    return where.to_address();
}

/// Knows the names of the script and no others, and counts sockets.
class scripted_os final : public forwarding_os {
public:
    scripted_os(detail::os& real, network_script& script) noexcept : forwarding_os(real), script_(script) {}
    int open_socket(int family, int type, int protocol) noexcept override {
        ++script_.open_sockets;
        return forwarding_os::open_socket(family, type, protocol);
    }
    int bind(int fd, const ::sockaddr* a, std::uint32_t size) noexcept override {
        return script_.absent.contains(to_address(a, size).ip()) ? -EADDRNOTAVAIL : forwarding_os::bind(fd, a, size);
    }
    int close(int fd) noexcept override {
        --script_.open_sockets;
        return forwarding_os::close(fd);
    }
    int resolve(const detail::name_request& request, std::vector<detail::resolved_name>& found) noexcept override {
        script_.questions.push_back(request);
        const auto named = script_.names.find(request.host);
        if (named == script_.names.end()) return EAI_NONAME;
        for (const address& a : named->second) {
            const detail::socket_address where(a);
            detail::resolved_name& name = found.emplace_back();
            std::memcpy(name.address.data(), &where.storage, where.size);
            name.size = where.size;
            name.family = where.family();
            name.type = request.type;
        }
        return 0;
    }
    std::shared_ptr<executor> make_thread_pool(std::size_t, std::string_view) override {
        return std::make_shared<inline_executor>();
    }

private:
    network_script& script_;
};

/// Only the names are scripted.
class scripted_names final : public forwarding_backend {
public:
    scripted_names(std::unique_ptr<detail::backend> real, network_script& script)
        : forwarding_backend(std::move(real)), os_(forwarding_backend::os(), script) {}
    detail::os& os() noexcept override { return os_; }

private:
    scripted_os os_;
};

/// Nothing real may be in flight beside the connects: whenever the loop would wait, its clock jumps.
class scripted_network final : public forwarding_backend {
public:
    scripted_network(std::unique_ptr<detail::backend> real, network_script& script)
        : forwarding_backend(std::move(real)),
          script_(script),
          began_(forwarding_backend::now()),
          now_(began_),
          os_(forwarding_backend::os(), script) {}

    time_point now() const noexcept override { return now_; }
    detail::os& os() noexcept override { return os_; }

    bool submit(detail::operation& op) noexcept override {
        if (op.kind != detail::operation_kind::connect) return forwarding_backend::submit(op);
        const std::string name = to_address(op.address, op.address_size).str();
        script_.attempts.push_back({name, now_ - began_});
        const auto found = script_.outcomes.find(name);
        op.phase = detail::operation::state::submitted;
        op.result = 0;
        connecting_.push_back(found == script_.outcomes.end()
                                  ? answer{&op, time_point::max(), 0}
                                  : answer{&op, now_ + found->second.after, -found->second.error});
        return false;
    }
    void cancel(detail::operation& op) noexcept override {
        const auto found = find(op);
        if (found == connecting_.end()) return forwarding_backend::cancel(op);
        op.phase = detail::operation::state::cancelling;
        found->at = now_;
        found->result = -ECANCELED;
    }
    void wait(time_point until) noexcept override {
        forwarding_backend::wait(time_point::min());
        time_point next = until;
        for (const answer& a : connecting_) next = std::min(next, a.at);
        now_ = std::max(now_, next);
        complete_due();
    }
    void drain() noexcept override {
        for (answer& a : connecting_) a = {a.op, now_, -ECANCELED};
        complete_due();
        forwarding_backend::drain();
    }

private:
    struct answer {
        detail::operation* op;
        time_point at;
        int result;
    };

    std::vector<answer>::iterator find(const detail::operation& op) noexcept {
        return std::find_if(connecting_.begin(), connecting_.end(), [&](const answer& a) { return a.op == &op; });
    }
    void complete_due() noexcept {
        std::vector<answer> due;
        const auto is_due = [&](const answer& a) { return a.at <= now_; };
        std::copy_if(connecting_.begin(), connecting_.end(), std::back_inserter(due), is_due);
        std::erase_if(connecting_, is_due);
        for (const answer& a : due) { // at the same moment: cancelling one of them comes too late
            a.op->phase = detail::operation::state::idle;
            a.op->result = a.result;
        }
        for (const answer& a : due) a.op->complete(*a.op);
    }

    network_script& script_;
    time_point began_;
    time_point now_;
    std::vector<answer> connecting_;
    scripted_os os_;
};

} // namespace rondo::test
