// The messages that are not settled yet, as the records of the journal add up to.
#pragma once

#include "broker/journal_record.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>

namespace mayhem {

/// A record that cannot follow the ones before it: an acknowledgement of a message that is not there, a number given twice.
struct impossible_record : std::runtime_error {
    using runtime_error::runtime_error;
};

/// Holds exactly what a journal says and nothing else: no leases, no delays, no time. The broker applies each record here and
/// appends it to the journal, recovery and compaction apply what they read; so all three agree by construction.
class ledger {
public:
    /// Throws impossible_record and leaves everything as it was.
    void apply(const record& r);

    /// Every message that was published and not acknowledged, dead letters among them, by sequence.
    const std::map<std::uint64_t, message>& messages() const noexcept { return messages_; }
    const message* find(std::uint64_t sequence) const noexcept;

    std::uint64_t next_sequence() const noexcept { return next_sequence_; }
    std::size_t dead() const noexcept { return dead_; }
    /// Neither settled nor dead: what a consumer has to deal with, or deals with just now.
    std::size_t pending() const noexcept { return messages_.size() - dead_; }

private:
    message& existing(std::uint64_t sequence, const char* what);
    void operator()(const journal_record::published& r);
    void operator()(const journal_record::delivered& r);
    void operator()(const journal_record::acknowledged& r);
    void operator()(const journal_record::failed& r);
    void operator()(const journal_record::returned& r);
    void operator()(const journal_record::buried& r);
    void operator()(const journal_record::carried& r);
    void operator()(const journal_record::numbered& r);
    void operator()(const journal_record::forgotten& r);
    void insert(message m);

    std::map<std::uint64_t, message> messages_;
    std::uint64_t next_sequence_ = 1;
    std::size_t dead_ = 0;
};

} // namespace mayhem
