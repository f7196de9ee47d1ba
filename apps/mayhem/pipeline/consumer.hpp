// Pulls deliveries and starts a handler for each; waits for none of them.
#pragma once

#include "broker/broker.hpp"
#include "pipeline/handler.hpp"
#include "pipeline/in_flight.hpp"

#include <rondo/rondo.hpp>

#include <cstddef>

namespace mayhem {

class consumer {
public:
    consumer(broker& from, handler& with, in_flight& table, std::size_t in_flight_limit)
        : from_(from), with_(with), table_(table), free_(static_cast<std::ptrdiff_t>(in_flight_limit)) {}

    /// Until cancelled. Each delivery becomes a task of `handlers`; as many as the limit allows are in flight, and no more are
    /// pulled. Throws what the broker throws.
    rondo::coro<> run(rondo::task_group& handlers);

private:
    rondo::coro<std::vector<rondo::guard<rondo::semaphore>>> free_places();

    broker& from_;
    handler& with_;
    in_flight& table_;
    rondo::semaphore free_;
};

} // namespace mayhem
