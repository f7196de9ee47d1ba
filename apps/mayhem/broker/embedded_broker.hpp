// The broker in this process: a journal for what must last, and leases in memory.
#pragma once

#include "base/group_commit.hpp"
#include "broker/broker.hpp"
#include "broker/journal.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace mayhem {

struct embedded_broker_options {
    lease_terms lease = {};
    std::uint32_t attempts = 5;             // failures that make a dead letter
    std::size_t backlog_limit = 100'000;    // publishing waits above it
    std::size_t dead_letter_limit = 10'000; // the oldest are forgotten above it
    journal::options journal = {};
    mayhem::disk* disk = &real_disk(); // that the journal is on
};

/// Leases and delays are measured on the loop's clock and not kept: a message that was out when the process died comes again
/// at once, and that delivery counts as failed, so that a message which kills the service does not do so for ever. One that
/// was given back counts nothing.
///
/// Expiry is noticed by who pulls, so this needs no task of its own: while nobody pulls, nobody could get the message.
class embedded_broker final : public broker {
public:
    /// `image` is what read_journal() said of the file. Needs a running loop.
    embedded_broker(const std::filesystem::path& path, journal_image image, embedded_broker_options options);

    const lease_terms& lease() const noexcept override { return options_.lease; }
    rondo::coro<> publish(std::vector<std::string> payloads) override;
    rondo::coro<std::vector<delivery>> pull(std::size_t at_most) override;
    rondo::coro<> acknowledge(delivery_tag d) override;
    rondo::coro<> extend(delivery_tag d) override;
    rondo::coro<fate> fail(delivery_tag d, std::string reason, std::chrono::nanoseconds delay) override;
    rondo::coro<> bury(delivery_tag d, std::string reason) override;
    rondo::coro<> give_back(delivery_tag d, std::chrono::nanoseconds delay) override;
    std::vector<message> dead_letters(std::size_t at_most) const override;
    broker_statistics statistics() const override;
    rondo::coro<> close() override;

private:
    // A record on its way to the journal. A published message may be delivered only once it is durable.
    struct entry {
        std::string bytes;
        std::uint64_t now_ready = 0;
    };
    using commit = group_commit<entry>;
    struct lease_entry {
        std::uint32_t delivery;
        rondo::time_point deadline;
    };

    void recover();
    commit::ticket write(const record& r, std::uint64_t now_ready = 0);
    void expire(rondo::time_point now);
    lease_entry& held(delivery_tag d);
    void end_lease(std::uint64_t sequence);
    commit::ticket count_failure(delivery_tag d, std::string reason);
    commit::ticket bury_now(std::uint64_t sequence);
    bool worn_out(std::uint64_t sequence) const;
    void make_ready(std::uint64_t sequence);
    void make_ready_after(std::uint64_t sequence, std::chrono::nanoseconds delay);
    delivery lease_out(std::uint64_t sequence, rondo::time_point deadline);

    embedded_broker_options options_;
    ledger ledger_;

    // Each pending message is in exactly one place: about to be durable, ready_, leases_ (and due_ at its deadline), or only
    // in due_ at the end of its delay.
    std::set<std::uint64_t> ready_;
    std::unordered_map<std::uint64_t, lease_entry> leases_;
    std::set<std::pair<rondo::time_point, std::uint64_t>> due_;
    std::set<std::uint64_t> dead_;

    broker_statistics counted_;
    rondo::event arrived_; // something is ready, or due earlier than before
    rondo::event room_;    // below the backlog limit
    journal journal_;      // the writer thread's
    rondo::thread_pool thread_{1, "journal"};
    commit commit_;
};

} // namespace mayhem
