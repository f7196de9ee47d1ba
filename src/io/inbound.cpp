#include "io/inbound.hpp"

#include "io/stream_core.hpp"

#include <rondo/io/errors.hpp>

#include <algorithm>
#include <cassert>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace rondo::detail {

namespace {

// Of a large read_exactly() so much room is made ahead of the bytes: what a peer announces is not worth memory yet.
constexpr std::size_t most_room_ahead = std::size_t{256} * 1024;

} // namespace

void retain(inbound& i) noexcept { i.owner().add_reference(); }
void release(inbound& i) noexcept { i.owner().drop_reference(); }

void inbound::check_limit(std::size_t limit) {
    if (limit == 0) throw value_error("the limit of a stream must be greater than 0");
}

appetite inbound::wants() const noexcept {
    if (ended_ || error_ || abandoned_) return appetite::none;
    if (reading_ && (reading_->waits() || !is_complete(*reading_)))
        return appetite::now; // one that waits lacks something
    return held_back_ && !unlimited_ ? appetite::none : appetite::ahead;
}

receive_room inbound::room() {
    std::size_t wanted = 0;
    if (reading_ && reading_->kind() == read_kind::exactly && reading_->count() > buffer_.size())
        wanted = std::min(reading_->count() - buffer_.size(), std::max(most_room_ahead, buffer_.size()));
    // Somebody who waits for more than there is will have it behind what there is.
    const bool waited_for = !buffer_.empty() && reading_ && !is_complete(*reading_);
    return buffer_.room(wanted, source_->gives_blocks() && !waited_for);
}

void inbound::received(std::size_t n, std::byte* at) noexcept {
    try {
        buffer_.received(n, at);
    } catch (const std::bad_alloc&) {
        source_->abort(std::current_exception());
    }
    if (abandoned_) buffer_.release();
    held_back_ = held_back_ || buffer_.size() / 2 > limit_;
    wake();
}

void inbound::ended() noexcept {
    ended_ = true;
    wake();
}

void inbound::lost(const std::exception_ptr& error) noexcept {
    source_ = nullptr;
    if (!ended_ && !error_) error_ = error;
    ended_ = true;
    wake();
}

void inbound::wake() noexcept {
    if (reading_ && reading_->waits() && is_complete(*reading_)) reading_->arrived();
}

void inbound::feed(bytes_view data) {
    if (source_) throw runtime_error("feed_data() is for a stream_reader in memory; this one belongs to a connection");
    if (ended_) throw runtime_error("feed_data() after feed_eof()");
    buffer_.append(data);
    wake();
}

void inbound::feed_end() {
    if (source_) throw runtime_error("feed_eof() is for a stream_reader in memory; this one belongs to a connection");
    ended();
}

void inbound::set_exception(std::exception_ptr error) {
    error_ = std::move(error);
    strict_ = error_ != nullptr;
    wake();
}

void inbound::abandon() noexcept {
    abandoned_ = true;
    buffer_.release();
    if (source_) source_->reader_gone();
}

/// Of a read that may need more than what is there.
bool inbound::is_whole(read_awaiter_base& read) const noexcept {
    if (strict_) return true;
    switch (read.kind()) {
    case read_kind::some:
    case read_kind::into: break;
    case read_kind::exactly:
        if (buffer_.size() >= read.count()) return true;
        break;
    case read_kind::all: break;
    case read_kind::until:
    case read_kind::line: {
        separator_search& search = *read.search();
        if (search.outcome == separator_search::state::searching) search.look(buffer_.unread(), limit_);
        if (search.outcome != separator_search::state::searching) return true;
        break;
    }
    }
    return ended_ || error_;
}

void inbound::ask_for_more() noexcept {
    if (source_) source_->receive();
}

std::exception_ptr inbound::conclude(read_awaiter_base& read) {
    if (strict_) return error_;
    switch (read.kind()) {
    case read_kind::some:
    case read_kind::into: return read.count() == 0 || !buffer_.empty() ? nullptr : error_;
    case read_kind::all: return error_;
    case read_kind::exactly: {
        if (buffer_.size() >= read.count()) return nullptr;
        if (error_) return error_;
        return std::make_exception_ptr(incomplete_read_error(buffer_.take(buffer_.size()), read.count()));
    }
    case read_kind::until:
    case read_kind::line: break;
    }
    return conclude_search(read);
}

std::exception_ptr inbound::conclude_search(read_awaiter_base& read) {
    using state = separator_search::state;
    const separator_search& search = *read.search();
    const bool line = read.kind() == read_kind::line;
    if (search.outcome == state::found) return nullptr;
    if (search.outcome == state::searching) {
        if (error_ || line) return error_;
        return std::make_exception_ptr(incomplete_read_error(buffer_.take(buffer_.size()), std::nullopt));
    }
    const bool found = search.outcome == state::found_too_late;
    const std::string limit = std::to_string(limit_) + " bytes";
    const std::string what = found
                                 ? "the separator is found, but what is before it is longer than the limit of " + limit
                                 : "the separator is not found within the limit of " + limit;
    if (!line) return std::make_exception_ptr(limit_overrun_error(what, found ? search.match_start : search.offset));
    buffer_.discard(found ? search.match_end : buffer_.size());
    after_taking();
    return std::make_exception_ptr(value_error("line too long: " + what));
}

bytes inbound::take(read_awaiter_base& read) {
    std::size_t n = buffer_.size();
    switch (read.kind()) {
    case read_kind::some:
    case read_kind::into: n = std::min(n, read.count()); break;
    case read_kind::exactly: n = read.count(); break;
    case read_kind::all: break;
    case read_kind::until:
    case read_kind::line:
        if (read.search()->outcome == separator_search::state::found) n = read.search()->match_end;
        break;
    }
    bytes taken = n > 0 ? buffer_.take(n) : bytes();
    after_taking();
    return taken;
}

std::size_t inbound::take_into(std::byte* to, std::size_t n) noexcept {
    n = std::min(n, buffer_.size());
    buffer_.copy_out(to, n);
    after_taking();
    return n;
}

void inbound::after_taking() noexcept {
    if (buffer_.size() <= limit_) held_back_ = false;
    if (source_) source_->consumed();
}

inbound::unlimited::unlimited(inbound& in) noexcept : in_(&in) {
    in.unlimited_ = true;
    if (in.source_) in.source_->consumed();
}
inbound::unlimited::~unlimited() { in_->unlimited_ = false; }

void separator_search::look(bytes_view in, std::size_t limit) noexcept {
    const std::string_view text = in.view();
    std::size_t shortest = separators.front().size();
    std::size_t longest = shortest;
    for (const std::string& s : separators) {
        shortest = std::min(shortest, s.size());
        longest = std::max(longest, s.size());
    }
    if (text.size() < offset + shortest) return;
    bool found = false;
    for (const std::string& s : separators) {
        const std::size_t at = text.find(s, offset);
        if (at == std::string_view::npos) continue;
        const std::size_t end = at + s.size();
        if (found && (end > match_end || (end == match_end && at < match_start)))
            continue; // the shorter of two that end together
        found = true;
        match_start = at;
        match_end = end;
    }
    if (found) {
        outcome = match_start > limit ? state::found_too_late : state::found;
        return;
    }
    offset = text.size() + 1 > longest ? text.size() + 1 - longest : 0;
    if (offset > limit) outcome = state::not_found_in_limit;
}

} // namespace rondo::detail
