// What happened to the broker's messages, one record for each event, and the bytes of a record.
#pragma once

#include "broker/request.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mayhem {

/// One delivery that came to nothing.
struct failed_delivery {
    std::uint32_t delivery = 0;
    wall_time at = {};
    std::string reason = {};

    friend bool operator==(const failed_delivery&, const failed_delivery&) = default;
};

/// A message and everything that outlives the process about it.
struct message {
    std::uint64_t sequence = 0;
    wall_time published_at = {};
    std::string payload = {};
    std::uint32_t deliveries = 0;              // ever; with the sequence it is the fence of writes
    bool out = false;                          // delivered, and neither settled nor given back
    bool dead = false;                         // a dead letter: kept for people, delivered no more
    std::vector<failed_delivery> history = {}; // its size is the number of failures

    friend bool operator==(const message&, const message&) = default;
};

namespace journal_record {
struct published {
    std::uint64_t sequence;
    wall_time at;
    std::string payload;
};
struct delivered {
    std::uint64_t sequence;
    std::uint32_t delivery;
};
struct acknowledged {
    std::uint64_t sequence;
};
/// Counts against the message.
struct failed {
    std::uint64_t sequence;
    failed_delivery what;
};
/// Given back by a consumer that shuts down: counts nothing.
struct returned {
    std::uint64_t sequence;
};
/// From now on a dead letter.
struct buried {
    std::uint64_t sequence;
};
/// A dead letter that is kept no longer.
struct forgotten {
    std::uint64_t sequence;
};
/// A whole message, written by compaction in place of its records.
struct carried {
    message what;
};
/// No sequence below this one is given out again, also when compaction has forgotten all that were.
struct numbered {
    std::uint64_t next_sequence;
};
} // namespace journal_record

using record = std::variant<journal_record::published, journal_record::delivered, journal_record::acknowledged,
                            journal_record::failed, journal_record::returned, journal_record::buried,
                            journal_record::carried, journal_record::numbered, journal_record::forgotten>;

/// The bytes of a record: a head of 16 bytes (payload size, kind, payload checksum, head checksum; all little-endian) and the
/// payload. The head has a checksum of its own, so that a damaged size is seen as damage and not as a torn end.
void append_record(std::string& to, const record& r);

enum class record_state {
    whole,
    torn,    // the bytes end before the record does, or nothing but zeros follow: the end of an interrupted write
    damaged, // bytes that no write of ours can have left
};

struct read_result {
    record_state state = record_state::torn;
    std::optional<record> value = {}; // when whole
    std::size_t size = 0;             // of the whole record
};

/// Reads the record at the start of `bytes`, which go on to the end of the file. Not empty.
read_result read_record(std::string_view bytes);

} // namespace mayhem
