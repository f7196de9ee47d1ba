#include "broker/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mayhem {

namespace jr = journal_record;

void ledger::apply(const record& r) {
    std::visit([this](const auto& what) { (*this)(what); }, r);
}

const message* ledger::find(std::uint64_t sequence) const noexcept {
    const auto found = messages_.find(sequence);
    return found == messages_.end() ? nullptr : &found->second;
}

message& ledger::existing(std::uint64_t sequence, const char* what) {
    const auto found = messages_.find(sequence);
    if (found == messages_.end() || found->second.dead) {
        throw impossible_record(fmt::format("message {} {}, but there is no such message", sequence, what));
    }
    return found->second;
}

void ledger::insert(message m) {
    const std::uint64_t sequence = m.sequence;
    if (sequence < next_sequence_) throw impossible_record(fmt::format("message {} is there twice", sequence));
    dead_ += m.dead ? 1 : 0;
    messages_.emplace_hint(messages_.end(), sequence, std::move(m));
    next_sequence_ = sequence + 1;
}

void ledger::operator()(const jr::published& r) {
    insert({.sequence = r.sequence, .published_at = r.at, .payload = r.payload});
}

void ledger::operator()(const jr::delivered& r) {
    message& m = existing(r.sequence, "was delivered");
    if (m.out || r.delivery != m.deliveries + 1) {
        throw impossible_record(
            fmt::format("delivery {} of message {} does not follow delivery {}", r.delivery, r.sequence, m.deliveries));
    }
    m.deliveries = r.delivery;
    m.out = true;
}

void ledger::operator()(const jr::acknowledged& r) {
    existing(r.sequence, "was acknowledged");
    messages_.erase(r.sequence);
}

void ledger::operator()(const jr::failed& r) {
    message& m = existing(r.sequence, "failed");
    m.out = false;
    m.history.push_back(r.what);
}

void ledger::operator()(const jr::returned& r) { existing(r.sequence, "was returned").out = false; }

void ledger::operator()(const jr::buried& r) {
    message& m = existing(r.sequence, "became a dead letter");
    m.out = false;
    m.dead = true;
    ++dead_;
}

void ledger::operator()(const jr::forgotten& r) {
    const message* m = find(r.sequence);
    if (m == nullptr || !m->dead)
        throw impossible_record(fmt::format("message {} was forgotten, but it is no dead letter", r.sequence));
    messages_.erase(r.sequence);
    --dead_;
}

void ledger::operator()(const jr::carried& r) { insert(r.what); }

void ledger::operator()(const jr::numbered& r) { next_sequence_ = std::max(next_sequence_, r.next_sequence); }

} // namespace mayhem
