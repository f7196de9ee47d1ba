// The life of one request: from its delivery to the acknowledgement.
#pragma once

#include "broker/broker.hpp"
#include "hosts/host_driver.hpp"
#include "pipeline/in_flight.hpp"
#include "report/books.hpp"
#include "report/log.hpp"
#include "store/store.hpp"

#include <rondo/rondo.hpp>

#include <map>
#include <string>

namespace mayhem {

/// Restarts the host, writes it down, acknowledges, and keeps the lease meanwhile.
///
/// What must hold, whatever fails or is cancelled when:
///  - a request is acknowledged only when its outcome is durable in the store;
///  - a host that was restarted for a request is not restarted for it again, by whichever message it comes: its outcome is
///    in the store, or, until it is there, remembered here, and the request is claimed before the host is touched;
///  - when the lease is lost, nothing more is done;
///  - what cannot be settled stays in the in-flight table, from where the shutdown gives it back.
class handler {
public:
    struct parts {
        mayhem::broker& broker;
        mayhem::store& store;
        mayhem::host_driver& driver;
        mayhem::in_flight& in_flight;
        mayhem::tally& tally;
        mayhem::log& log;
    };

    handler(parts p, retry_terms retry) : p_(p), retry_(retry) {}

    /// The delivery is in the in-flight table. Throws nothing but its own cancellation: one bad message is one bad message.
    rondo::coro<> handle(delivery d);

private:
    struct work;

    rondo::coro<> work_under_lease(work& w);
    rondo::coro<> extend(work& w);
    rondo::coro<> restart_and_save(work& w);
    rondo::coro<> restart_host(work& w);
    rondo::coro<> claim(work& w);
    rondo::coro<> save(work& w);
    rondo::coro<> ask_the_store(work& w, rondo::coro<write_answer> (store::*question)(restart_record));
    rondo::coro<> clean_up(work& w);
    rondo::coro<> after_failure(work& w, std::exception_ptr error);
    rondo::coro<> give_back_duplicate(work& w);
    rondo::coro<> bury(work& w, std::string reason);
    static void take_answer(work& w, write_answer answer);
    void tell(const restart_record& done);

    parts p_;
    retry_terms retry_;
    std::map<std::string, restart_record> done_; // restarted, and not acknowledged yet
    sparse_log restarts_told_{p_.log, 20};
    sparse_log failures_told_{p_.log, 3};
    sparse_log saves_told_{p_.log, 1};
};

} // namespace mayhem
