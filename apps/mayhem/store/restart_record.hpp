// What was done to a host because of a request, and what came of writing it down.
#pragma once

#include "broker/delivery.hpp"
#include "broker/request.hpp"

#include <optional>
#include <string>

namespace mayhem {

enum class restart_state {
    started,   // somebody set out to restart the host; whether the host was restarted is not known
    restarted, // it was
    failed,    // it cannot be, for the reason in the detail
};

/// One row for each request id, for ever.
struct restart_record {
    request what = {};
    delivery_tag by = {};
    restart_state state = restart_state::started;
    wall_time started_at = {};
    wall_time finished_at = {};       // of a finished one
    std::string instance_before = {}; // what the host was before and after, where the driver can tell: process ids
    std::string instance_after = {};
    std::string detail = {};

    friend bool operator==(const restart_record&, const restart_record&) = default;
};

struct write_answer {
    enum class kind {
        granted,  // to a claim: the delivery's own; to a write: durable, now or from an earlier try of the same write
        finished, // the request was finished by another delivery, perhaps of another message: see `row`
        fenced,   // a later delivery is at work
    };
    kind what = kind::granted;
    std::optional<restart_record> row = {}; // the finished row that was found
};

} // namespace mayhem
