#include <rondo/io/detail/read_awaiter.hpp>

#include "io/inbound.hpp"
#include "io/stream_core.hpp"

#include <algorithm>
#include <string>

namespace rondo::detail {

namespace {

const std::string newline = "\n";

std::exception_ptr misuse(const std::string& what) { return std::make_exception_ptr(runtime_error(what)); }

} // namespace

read_awaiter_base::~read_awaiter_base() { let_go(); }

void read_awaiter_base::let_go() noexcept {
    if (claimed_) from_->unclaim();
    claimed_ = false;
}

const char* read_awaiter_base::method() const noexcept {
    switch (kind_) {
    case read_kind::some: return "read()";
    case read_kind::into: return "read_into()";
    case read_kind::exactly: return "read_exactly()";
    case read_kind::all: return "read_all()";
    case read_kind::until: return "read_until()";
    case read_kind::line: return "read_line()";
    }
    return "";
}

void read_awaiter_base::look_for(separator_search& search) {
    search_ = &search;
    const auto& wanted = search.separators;
    if (wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [](const std::string& s) { return s.empty(); }))
        problem_ = std::make_exception_ptr(value_error("read_until(): a separator must not be empty"));
}

bool read_line_awaiter::try_now() {
    search_.separators = std::span<const std::string>(&newline, 1);
    look_for(search_);
    return read_awaiter_base::try_now();
}

bool read_awaiter_base::try_now() {
    if (problem_) return true;
    if (!from_) {
        problem_ = misuse(std::string(method()) + " on a stream_reader that was moved from");
        return true;
    }
    if (const read_awaiter_base* other = from_->reading()) {
        problem_ = misuse(std::string(method()) + " was called while another task waits in " + other->method() +
                          ": one task may wait on a stream_reader at a time");
        return true;
    }
    from_->claim(*this);
    claimed_ = true;
    if (from_->is_complete(*this)) return true;
    from_->ask_for_more();
    return from_->is_complete(*this);
}

void read_awaiter_base::enqueue() noexcept {}

std::exception_ptr read_awaiter_base::failure() {
    std::exception_ptr error = take_interruption();
    if (!error) error = problem_;
    if (!error) error = from_->conclude(*this);
    if (error) let_go();
    return error;
}

bytes read_awaiter_base::take_bytes() {
    let_go();
    return from_->take(*this);
}

std::size_t read_awaiter_base::take_into(std::byte* to) {
    let_go();
    return from_->take_into(to, count_);
}

std::optional<bytes> read_awaiter_base::take_line() {
    bytes line = take_bytes();
    if (line.empty()) return std::nullopt;
    return line;
}

cancel_outcome read_awaiter_base::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::string read_awaiter_base::describe() const {
    std::string text = method();
    if (kind_ == read_kind::exactly) text.insert(text.size() - 1, std::to_string(count_));
    const stream_core* source = from_->source();
    text += source ? " on " + source->describe() : std::string(" on a stream in memory");
    if (kind_ != read_kind::some && kind_ != read_kind::into)
        text += ", " + std::to_string(from_->unread()) + " bytes are there";
    return text;
}

} // namespace rondo::detail
