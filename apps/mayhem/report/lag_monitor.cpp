#include "report/lag_monitor.hpp"

namespace mayhem {

rondo::coro<> lag_monitor::run() {
    for (;;) {
        const auto due = now_() + period_;
        co_await rondo::sleep_until(due);
        lag_.record(now_() - due);
    }
}

} // namespace mayhem
