// What a restart request says, and how it looks on the wire.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace mayhem {

using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

/// The real time of day, for what is kept longer than this process lives.
wall_time wall_now();

/// One wish to have a host restarted. The id is unique for ever: it is what makes a second delivery harmless.
struct request {
    std::string id = {};
    std::string host = {};
    wall_time requested_at = {};

    friend bool operator==(const request&, const request&) = default;
};

/// JSON, so that anybody can publish one: {"id":"...","host":"web-01","requested_at":1700000000000} (milliseconds since 1970).
std::string encode(const request& r);

/// Throws restart_impossible saying what is wrong: what cannot be read today cannot be read tomorrow.
request decode_request(std::string_view payload);

} // namespace mayhem
