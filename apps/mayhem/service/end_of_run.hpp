// Why the service ends, and how much of a hurry it is in.
#pragma once

#include <rondo/rondo.hpp>

#include <string>

namespace mayhem {

/// The first request to end is the reason; the second one, if it is a signal, ends the grace period.
class end_of_run {
public:
    /// A signal: the first ends the run, each further one ends the grace period.
    void signal(std::string name) {
        if (begun_.is_set()) hurry_.set();
        else begin(std::move(name));
    }
    /// Ends the run; nothing when it is ending already.
    void begin(std::string why) {
        if (begun_.is_set()) return;
        why_ = std::move(why);
        begun_.set();
    }
    /// Something that the service cannot do without has failed: ends the run, and not well.
    void fail(std::string why) {
        failed_ = true;
        begin(std::move(why));
    }

    rondo::coro<> begun() { co_await begun_.wait(); }
    rondo::coro<> hurried() { co_await hurry_.wait(); }
    bool is_hurried() const noexcept { return hurry_.is_set(); }
    bool failed() const noexcept { return failed_; }
    const std::string& why() const noexcept { return why_; }

private:
    rondo::event begun_;
    rondo::event hurry_;
    std::string why_;
    bool failed_ = false;
};

/// Tells `end` of SIGINT, SIGTERM, SIGHUP and SIGQUIT, until cancelled.
rondo::coro<> watch_signals(end_of_run& end);

} // namespace mayhem
