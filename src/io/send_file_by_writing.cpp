#include <rondo/io/errors.hpp>
#include <rondo/io/protocol.hpp>
#include <rondo/io/transport.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/sync/event.hpp>

#include "io/bytes_access.hpp"
#include "io/file_operations.hpp"
#include "io/send_file.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <utility>

namespace rondo::detail {

namespace {

constexpr std::size_t buffer_size = 16'384;

/// Stands in for the transport's protocol, passes everything on, and knows when there is room.
class room_watch final : public protocol {
public:
    room_watch(transport& t, std::shared_ptr<protocol> before)
        : before_(std::move(before)), was_reading_(t.is_reading()) {
        t.pause_reading(); // the protocol may be one with a buffer of its own
        if (t.get_write_buffer_size() <= t.get_write_buffer_limits().second) room.set();
    }
    void restore(transport& t) {
        if (lost) return;
        t.set_protocol(before_);
        if (was_reading_) t.resume_reading();
    }

    void connection_made(transport& t) override { before_->connection_made(t); }
    void connection_lost(std::exception_ptr e) override {
        lost = true;
        error = e;
        room.set();
        before_->connection_lost(e);
    }
    void pause_writing() override {
        room.clear();
        before_->pause_writing();
    }
    void resume_writing() override {
        room.set();
        before_->resume_writing();
    }

    event room;
    bool lost = false;
    std::exception_ptr error;

private:
    std::shared_ptr<protocol> before_;
    bool was_reading_;
};

} // namespace

coro<std::size_t> send_file_by_writing(event_loop& loop, transport& to, int file, sendfile_options options) {
    const std::size_t count = options.count.value_or(std::numeric_limits<std::size_t>::max());
    file_progress progress(loop, file, options.offset);
    const auto watch = std::make_shared<room_watch>(to, to.get_protocol());
    to.set_protocol(watch);
    struct at_end {
        room_watch& watch;
        transport& to;
        ~at_end() { watch.restore(to); }
    } restoring{*watch, to};
    bytes buffer = bytes_access::make(std::min(count, buffer_size));
    while (progress.sent < count) {
        co_await watch->room.wait();
        const std::span<std::byte> room(buffer.data(), std::min(buffer.size(), count - progress.sent));
        const std::int64_t read = co_await read_from_file(loop, file, room, progress.next());
        if (read == 0) break;
        if (read < 0) throw_os_error(static_cast<int>(-read), "sendfile(): cannot read the file");
        if (watch->lost || to.is_closing()) {
            if (watch->error) std::rethrow_exception(watch->error);
            throw_os_error(ECONNRESET, "the connection was closed during a sendfile()");
        }
        to.write(bytes_view(buffer.data(), static_cast<std::size_t>(read)));
        progress.sent += static_cast<std::size_t>(read);
    }
    co_return progress.sent;
}

} // namespace rondo::detail
