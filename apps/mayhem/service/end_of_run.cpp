#include "service/end_of_run.hpp"

#include <csignal>

namespace mayhem {

namespace {

std::string name_of(int signal) {
    switch (signal) {
    case SIGINT: return "SIGINT";
    case SIGTERM: return "SIGTERM";
    case SIGHUP: return "SIGHUP";
    case SIGQUIT: return "SIGQUIT";
    default: return "signal " + std::to_string(signal);
    }
}

} // namespace

rondo::coro<> watch_signals(end_of_run& end) {
    rondo::signal_receiver signals({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
    while (const auto signal = co_await signals.next()) end.signal(name_of(*signal));
}

} // namespace mayhem
