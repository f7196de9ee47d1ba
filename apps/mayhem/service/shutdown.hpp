// The end of the service, step by step, each of them told.
#pragma once

#include "broker/broker.hpp"
#include "hosts/host_driver.hpp"
#include "pipeline/in_flight.hpp"
#include "report/log.hpp"
#include "service/end_of_run.hpp"
#include "store/store.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace mayhem {

/// 1 stop pulling, 2 let what is in flight finish, 3 cancel and await the rest, 4 give back what is unacknowledged, 5 close
/// hosts, broker and database, 6 flush the metrics, 7 flush the log. No step is skipped, whatever happened in the ones
/// before: an error in a step is told, and remembered for the exit code. A second signal ends the waiting of step 2.
class shutdown {
public:
    shutdown(log& to, end_of_run& end) : log_(to), end_(end) {}

    /// Steps 1 to 3, in the body of the handlers' group, which awaits the rest as it ends.
    rondo::coro<> stop_work(rondo::task<> pulling, rondo::task<> publishing, rondo::task_group& handlers,
                            in_flight& table, std::chrono::nanoseconds grace);
    /// Step 4.
    rondo::coro<> give_back(in_flight& table, broker& to);
    /// Step 5.
    rondo::coro<> close(host_driver& driver, broker& b, store& s);
    /// Step 6, and the last word before 7, which whoever owns the screen does.
    void flush(const std::function<void()>& write_metrics);

    bool failed() const noexcept { return failed_; }
    /// The step that it is at, for the summary; empty before.
    const std::string& phase() const noexcept { return phase_; }

private:
    void begin(int step, std::string_view what);
    rondo::coro<> guarded(std::string_view what, rondo::coro<> act);
    void failure(std::string_view what, const std::exception_ptr& error);

    log& log_;
    end_of_run& end_;
    std::string phase_;
    bool failed_ = false;
};

} // namespace mayhem
