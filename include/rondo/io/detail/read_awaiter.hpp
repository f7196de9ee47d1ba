// Waiting for bytes of a stream_reader.
#pragma once

#include <rondo/io/bytes.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rondo::detail {

class inbound;
void retain(inbound& i) noexcept;
void release(inbound& i) noexcept;

enum class read_kind : std::uint8_t { some, into, exactly, all, until, line };

/// Looks for the separator whose match ends first. It goes on where it stopped when more has come.
struct separator_search {
    enum class state : std::uint8_t { searching, found, found_too_late, not_found_in_limit };

    std::span<const std::string> separators;
    std::size_t offset = 0; // no match starts before this
    std::size_t match_start = 0;
    std::size_t match_end = 0;
    state outcome = state::searching;

    void look(bytes_view in, std::size_t limit) noexcept;
};

/// Nothing is taken out of the stream before the task runs again, so a cancellation loses no byte: the receive operation
/// belongs to the connection, and what it brings is there for the next reader. The reader is claimed from try_now() until the
/// outcome was taken.
class read_awaiter_base : public awaiter {
public:
    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    read_kind kind() const noexcept { return kind_; }
    const char* method() const noexcept;
    std::size_t count() const noexcept { return count_; }
    separator_search* search() const noexcept { return search_; }
    bool waits() const noexcept { return is_waiting(); }
    void arrived() noexcept { settle(); }

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure();

protected:
    read_awaiter_base(counted_ptr<inbound> from, read_kind kind, std::size_t count) noexcept
        : from_(std::move(from)), kind_(kind), count_(count) {}
    read_awaiter_base(read_awaiter_base&& other) noexcept
        : awaiter(static_cast<awaiter&&>(other)),
          from_(std::move(other.from_)),
          kind_(other.kind_),
          count_(other.count_),
          problem_(std::move(other.problem_)) {}
    ~read_awaiter_base();

    void look_for(separator_search& search);
    bytes take_bytes();
    std::size_t take_into(std::byte* to);
    std::optional<bytes> take_line();

private:
    void let_go() noexcept;

    counted_ptr<inbound> from_;
    read_kind kind_;
    bool claimed_ = false;
    std::size_t count_;
    separator_search* search_ = nullptr;
    std::exception_ptr problem_;
};

/// read(), read_exactly(), read_all().
class [[nodiscard]] read_awaiter final : public leaf_awaiter<read_awaiter, bytes, read_awaiter_base> {
public:
    read_awaiter(counted_ptr<inbound> from, read_kind kind, std::size_t count) noexcept
        : leaf_awaiter(std::move(from), kind, count) {}
    bytes value() { return take_bytes(); }
};

/// read_into().
class [[nodiscard]] read_into_awaiter final : public leaf_awaiter<read_into_awaiter, std::size_t, read_awaiter_base> {
public:
    read_into_awaiter(counted_ptr<inbound> from, std::span<std::byte> to) noexcept
        : leaf_awaiter(std::move(from), read_kind::into, to.size()), to_(to.data()) {}
    read_into_awaiter(read_into_awaiter&& other) noexcept
        : leaf_awaiter(static_cast<leaf_awaiter&&>(other)), to_(other.to_) {}
    std::size_t value() { return take_into(to_); }

private:
    std::byte* to_;
};

/// read_until(). S: std::string, or a vector of them.
template <class S>
class [[nodiscard]] read_until_awaiter final : public leaf_awaiter<read_until_awaiter<S>, bytes, read_awaiter_base> {
    using base = leaf_awaiter<read_until_awaiter<S>, bytes, read_awaiter_base>;

public:
    read_until_awaiter(counted_ptr<inbound> from, S separators) noexcept
        : base(std::move(from), read_kind::until, std::size_t{0}), separators_(std::move(separators)) {}
    read_until_awaiter(read_until_awaiter&& other) noexcept
        : base(static_cast<base&&>(other)), separators_(std::move(other.separators_)) {}
    bool try_now() {
        if constexpr (std::is_same_v<S, std::string>)
            search_.separators = std::span<const std::string>(&separators_, 1);
        else search_.separators = separators_;
        this->look_for(search_);
        return base::try_now();
    }
    bytes value() { return this->take_bytes(); }

private:
    S separators_;
    separator_search search_;
};

/// read_line().
class [[nodiscard]] read_line_awaiter final
    : public leaf_awaiter<read_line_awaiter, std::optional<bytes>, read_awaiter_base> {
public:
    explicit read_line_awaiter(counted_ptr<inbound> from) noexcept
        : leaf_awaiter(std::move(from), read_kind::line, std::size_t{0}) {}
    read_line_awaiter(read_line_awaiter&& other) noexcept : leaf_awaiter(std::move(other)) {}
    bool try_now();
    std::optional<bytes> value() { return take_line(); }

private:
    separator_search search_;
};

} // namespace rondo::detail
