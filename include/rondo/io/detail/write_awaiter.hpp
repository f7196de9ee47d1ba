// Waiting until bytes are on their way: write() and drain(), and for the end of a connection.
#pragma once

#include <rondo/io/bytes.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <utility>

namespace rondo::detail {

class stream_core;
void retain(stream_core& s) noexcept;
void release(stream_core& s) noexcept;
class write_awaiter;

/// Bytes in a connection's queue: a chunk that the queue owns, or those that a write() has borrowed.
struct outgoing {
    outgoing* next = nullptr;
    bytes_view now;                    // what is left of the current piece
    std::span<const bytes_view> later; // the pieces after it
    write_awaiter* owner = nullptr;    // null: a chunk
};

/// An awaiter in one of a connection's lists.
template <class A> struct waiting_list {
    bool empty() const noexcept { return head == nullptr; }
    void push_back(A& a) noexcept {
        a.previous_ = tail;
        a.next_ = nullptr;
        (tail ? tail->next_ : head) = &a;
        tail = &a;
    }
    void erase(A& a) noexcept {
        (a.previous_ ? a.previous_->next_ : head) = a.next_;
        (a.next_ ? a.next_->previous_ : tail) = a.previous_;
        a.next_ = a.previous_ = nullptr;
    }
    A& pop_front() noexcept {
        A& a = *head;
        erase(a);
        return a;
    }
    A* head = nullptr;
    A* tail = nullptr;
};

/// Small writes are copied and usually do not wait at all; a large one is sent from the caller's memory and waits until it
/// was. Cancelled before its first byte was sent, a write has not happened; cancelled in the middle, it leaves the stream
/// broken.
class [[nodiscard]] write_awaiter final : public leaf_awaiter<write_awaiter, void>, private outgoing {
public:
    write_awaiter(counted_ptr<stream_core> to, bytes_view data) noexcept
        : to_(std::move(to)), whole_(data), kind_(kind::write) {}
    write_awaiter(counted_ptr<stream_core> to, std::span<const bytes_view> pieces) noexcept
        : to_(std::move(to)), pieces_(pieces), kind_(kind::write_pieces) {}
    explicit write_awaiter(counted_ptr<stream_core> to) noexcept : to_(std::move(to)), kind_(kind::drain) {}
    write_awaiter(write_awaiter&& other) noexcept
        : leaf_awaiter(static_cast<leaf_awaiter&&>(other)),
          to_(std::move(other.to_)),
          whole_(other.whole_),
          pieces_(other.pieces_),
          kind_(other.kind_) {}
    ~write_awaiter();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure();
    void value() const noexcept {}

    // stream_core's
    std::size_t total() const noexcept { return total_; }
    bool asked_to_cancel() const noexcept { return was_cancelled(); }
    /// Its bytes are no longer in the queue: sent, or given up.
    void released() noexcept;
    /// There is room again, or nothing to wait for.
    void may_go_on() noexcept { settle(); }

private:
    friend struct waiting_list<write_awaiter>;
    friend class stream_core;
    enum class kind : std::uint8_t { write, write_pieces, drain };
    const char* method() const noexcept { return kind_ == kind::drain ? "drain()" : "write()"; }
    std::span<const bytes_view> pieces() const noexcept {
        return kind_ == kind::write ? std::span<const bytes_view>(&whole_, 1) : pieces_;
    }

    counted_ptr<stream_core> to_;
    bytes_view whole_;
    std::span<const bytes_view> pieces_;
    std::size_t total_ = 0;
    write_awaiter* next_ = nullptr;
    write_awaiter* previous_ = nullptr;
    std::exception_ptr problem_;
    kind kind_;
    bool borrowed_ = false; // its bytes are in the queue
    bool listed_ = false;   // waits for room
};

/// wait_closed() and aclose().
class [[nodiscard]] closed_awaiter final : public leaf_awaiter<closed_awaiter, void> {
public:
    closed_awaiter(counted_ptr<stream_core> of, bool close_first) noexcept
        : of_(std::move(of)), close_first_(close_first) {}
    closed_awaiter(closed_awaiter&& other) noexcept
        : leaf_awaiter(static_cast<leaf_awaiter&&>(other)),
          of_(std::move(other.of_)),
          close_first_(other.close_first_) {}
    ~closed_awaiter();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure();
    void value() const noexcept {}
    void closed() noexcept {
        listed_ = false;
        settle();
    }

private:
    friend struct waiting_list<closed_awaiter>;
    counted_ptr<stream_core> of_;
    closed_awaiter* next_ = nullptr;
    closed_awaiter* previous_ = nullptr;
    bool close_first_;
    bool listed_ = false;
};

} // namespace rondo::detail
