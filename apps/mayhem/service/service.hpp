// The whole service: its parts, put together, run and taken down.
#pragma once

#include "broker/embedded_broker.hpp"
#include "hosts/host_driver.hpp"
#include "pipeline/handler.hpp"
#include "pipeline/in_flight.hpp"
#include "pipeline/publisher.hpp"
#include "report/books.hpp"
#include "report/display.hpp"
#include "report/lag_monitor.hpp"
#include "report/log.hpp"
#include "service/end_of_run.hpp"
#include "service/shutdown.hpp"
#include "settings/data_directory.hpp"
#include "settings/settings.hpp"
#include "store/sqlite_store.hpp"

#include <rondo/rondo.hpp>

#include <memory>
#include <string>
#include <vector>

namespace mayhem {

/// What main() has made sure of before the loop starts.
struct checked_input {
    mayhem::settings settings;
    mayhem::data_directory data;
    journal_image journal;
    std::string program; // this binary, which a local host runs, too
    mayhem::disk* disk = &real_disk();
    lag_monitor::time_source real_time = std::chrono::steady_clock::now;
    publisher::id_source next_id = nullptr; // of what is published; null: unique_ids()
};

/// One run. Made and used inside the loop.
class service {
public:
    service(checked_input& input, display& out, log& to);

    /// Until the time is over, a signal comes or something indispensable fails; then the shutdown. 0: it ended well, and the
    /// books balance; 1: it did not.
    rondo::coro<int> run();
    /// As they are now.
    books books_now() const;

private:
    rondo::coro<> open();
    rondo::coro<> work();
    rondo::coro<> end_after(std::chrono::nanoseconds d);
    rondo::coro<> show_summary();
    void end_when_it_fails(rondo::task<> part, std::string name);
    books last_books() const;

    settings& settings_;
    checked_input& input_;
    display& screen_;
    log& log_;
    std::uint64_t seed_;
    std::vector<std::string> host_names_;

    tally tally_;
    in_flight in_flight_;
    end_of_run end_;
    shutdown shutdown_{log_, end_};
    lag_monitor lag_;
    embedded_broker broker_;
    sqlite_store store_;
    std::unique_ptr<host_driver> driver_;
    handler handler_;
    rondo::time_point began_;
    std::vector<host_status> last_hosts_; // as they were before they were taken down
};

} // namespace mayhem
