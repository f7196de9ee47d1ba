// Where it is written down what was done to which host: the audit record of every request.
#pragma once

#include "store/restart_record.hpp"

#include <rondo/rondo.hpp>

namespace mayhem {

/// Used from the loop's thread. Anything thrown means that nothing is known about the write; it may be tried again.
class store {
public:
    virtual ~store() = default;

    /// Whether this delivery may work on its request. Asked before anything is done to a host, because the same request may
    /// come as another message: granted once nobody has finished it and no later delivery is at work. Leaves no trace.
    virtual rondo::coro<write_answer> claim(restart_record row) = 0;

    /// Writes the row of its request, unless a finished one or a later delivery's is there. Returns when the answer is
    /// durable. Cancelled: the write may still happen.
    virtual rondo::coro<write_answer> write(restart_record row) = 0;

    /// Waits for the writes that were asked for, then lets go of the database. Called once, last.
    virtual rondo::coro<> close() = 0;
};

} // namespace mayhem
