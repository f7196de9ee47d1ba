// What a stream_reader reads: the bytes that have come, and the task that waits for more.
#pragma once

#include <rondo/io/detail/read_awaiter.hpp>

#include "io/receive_buffer.hpp"
#include "io/shared_core.hpp"
#include "io/stream_consumer.hpp"

#include <cstddef>
#include <exception>

namespace rondo::detail {

class stream_core;

/// The end of a stream is an end or an error, and comes once. With a source (a connection or pipe) it asks that for more;
/// without, it is fed.
class inbound : public stream_consumer {
public:
    inbound(shared_core& owner, stream_core* source, std::size_t limit) noexcept
        : owner_(owner), source_(source), limit_(limit) {}
    inbound(const inbound&) = delete;
    inbound& operator=(const inbound&) = delete;

    /// value_error for 0.
    static void check_limit(std::size_t limit);
    shared_core& owner() const noexcept { return owner_; }

    // stream_consumer
    appetite wants() const noexcept override;
    receive_room room() override;
    void received(std::size_t n, std::byte* at) noexcept override;
    void ended() noexcept override;
    void lost(const std::exception_ptr& error) noexcept override;

    // stream_reader
    void feed(bytes_view data);
    void feed_end();
    void set_exception(std::exception_ptr error);
    const std::exception_ptr& exception() const noexcept { return error_; }
    bool at_eof() const noexcept { return ended_ && buffer_.empty(); }
    /// The reader is gone: nobody will read again.
    void abandon() noexcept;

    // The awaiters
    /// The one that has the reader now, or null.
    read_awaiter_base* reading() const noexcept { return reading_; }
    void claim(read_awaiter_base& by) noexcept { reading_ = &by; }
    void unclaim() noexcept { reading_ = nullptr; }
    /// The read can give its outcome without waiting.
    bool is_complete(read_awaiter_base& read) const noexcept {
        if (read.kind() > read_kind::into) return is_whole(read);
        return !buffer_.empty() || ended_ || error_ || read.count() == 0;
    }
    /// Receives what can be had at once, and goes on receiving.
    void ask_for_more() noexcept;
    /// The error of a read that is complete, or null. What an incomplete read or an overlong line takes out is taken out.
    std::exception_ptr conclude(read_awaiter_base& read);
    bytes take(read_awaiter_base& read);
    std::size_t take_into(std::byte* to, std::size_t n) noexcept;
    /// How much is unread, and from where it comes: for descriptions.
    std::size_t unread() const noexcept { return buffer_.size(); }
    stream_core* source() const noexcept { return source_; }

    /// While it lives, everything is received ahead, whatever the limit.
    class unlimited {
    public:
        explicit unlimited(inbound& in) noexcept;
        unlimited(const unlimited&) = delete;
        unlimited& operator=(const unlimited&) = delete;
        ~unlimited();

    private:
        counted_ptr<inbound> in_;
    };

protected:
    ~inbound() = default;

private:
    std::exception_ptr conclude_search(read_awaiter_base& read);
    bool is_whole(read_awaiter_base& read) const noexcept;
    void wake() noexcept;
    void after_taking() noexcept;

    shared_core& owner_;
    stream_core* source_;
    receive_buffer buffer_;
    std::size_t limit_;
    read_awaiter_base* reading_ = nullptr;
    std::exception_ptr error_;
    bool strict_ = false; // the error was set by the user: it comes before the data
    bool ended_ = false;
    bool held_back_ = false; // more than twice the limit is unread
    bool abandoned_ = false;
    bool unlimited_ = false;
};

} // namespace rondo::detail
