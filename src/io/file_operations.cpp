#include "io/file_operations.hpp"

#include <rondo/io/unique_fd.hpp>
#include <rondo/loop/event_loop.hpp>

#include "io/bytes_access.hpp"
#include "io/operation_awaiter.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace rondo::detail {

namespace {

// A thread works on a copy: that is as much as is copied at once.
constexpr std::size_t most_at_once = 1'048'576;

/// An operation for a thread, with all that it points to.
struct job {
    job(operation_kind kind, int fd) noexcept : asked(kind, nullptr) { asked.fd = fd; }
    operation asked;
    std::string path;
    bytes buffer;
};

/// What an operation has opened, until somebody takes it: nobody will where the task is torn down before it goes on.
class opened_descriptor {
public:
    explicit opened_descriptor(operation& op) noexcept : op_(op) { op_.result = -1; }
    opened_descriptor(const opened_descriptor&) = delete;
    opened_descriptor& operator=(const opened_descriptor&) = delete;
    ~opened_descriptor() {
        if (op_.result >= 0) unique_fd(static_cast<int>(op_.result)).reset();
    }
    std::int64_t take() noexcept { return std::exchange(op_.result, -1); }

private:
    operation& op_;
};

struct opening_job : job {
    opening_job() noexcept : job(operation_kind::open, -1), opened(asked) {}
    opened_descriptor opened;
};

coro<std::int64_t> perform_in_thread(event_loop& loop, const char* doing, std::shared_ptr<job> work) {
    co_return co_await in_thread(loop, doing,
                                 [work = std::move(work)](os& files) { return files.perform(work->asked); });
}

bool takes_files(event_loop& loop) noexcept { return loop_access::backend(loop).takes_files(); }

} // namespace

coro<std::int64_t> open_descriptor(event_loop& loop, std::string path, int flags, unsigned permissions) {
    if (takes_files(loop)) {
        operation_awaiter opening(loop, operation_kind::open, -1, "opening a file");
        opened_descriptor opened(opening.asked);
        opening.asked.data = path.c_str();
        opening.asked.flags = static_cast<std::uint32_t>(flags);
        opening.asked.size = permissions;
        co_await opening;
        co_return opened.take();
    }
    const auto work = std::make_shared<opening_job>();
    work->path = std::move(path);
    work->asked.data = work->path.c_str();
    work->asked.flags = static_cast<std::uint32_t>(flags);
    work->asked.size = permissions;
    co_await perform_in_thread(loop, "opening a file", work);
    co_return work->opened.take();
}

coro<std::int64_t> close_descriptor(event_loop& loop, int fd) {
    if (takes_files(loop)) {
        operation_awaiter closing(loop, operation_kind::close, fd, "closing a file");
        co_return co_await closing;
    }
    co_return co_await perform_in_thread(loop, "closing a file", std::make_shared<job>(operation_kind::close, fd));
}

coro<std::int64_t> read_from_file(event_loop& loop, int fd, std::span<std::byte> into, std::uint64_t offset) {
    if (takes_files(loop)) {
        operation_awaiter reading(loop, operation_kind::read, fd, "reading a file");
        reading.asked.buffer = into.data();
        reading.asked.size = into.size();
        reading.asked.offset = offset;
        co_return co_await reading;
    }
    const auto work = std::make_shared<job>(operation_kind::read, fd);
    work->buffer = bytes_access::make(std::min(into.size(), most_at_once));
    work->asked.buffer = work->buffer.data();
    work->asked.size = work->buffer.size();
    work->asked.offset = offset;
    const std::int64_t result = co_await perform_in_thread(loop, "reading a file", work);
    if (result > 0) std::memcpy(into.data(), work->buffer.data(), static_cast<std::size_t>(result));
    co_return result;
}

coro<std::int64_t> write_to_file(event_loop& loop, int fd, bytes_view data, std::uint64_t offset) {
    if (takes_files(loop)) {
        operation_awaiter writing(loop, operation_kind::write, fd, "writing a file");
        writing.asked.data = data.data();
        writing.asked.size = data.size();
        writing.asked.offset = offset;
        co_return co_await writing;
    }
    const auto work = std::make_shared<job>(operation_kind::write, fd);
    work->buffer = bytes(bytes_view(data.data(), std::min(data.size(), most_at_once)));
    work->asked.data = work->buffer.data();
    work->asked.size = work->buffer.size();
    work->asked.offset = offset;
    co_return co_await perform_in_thread(loop, "writing a file", work);
}

coro<std::int64_t> sync_file(event_loop& loop, int fd, bool data_only) {
    if (takes_files(loop)) {
        operation_awaiter syncing(loop, operation_kind::fsync, fd, "syncing a file");
        syncing.asked.flags = data_only ? 1 : 0;
        co_return co_await syncing;
    }
    const auto work = std::make_shared<job>(operation_kind::fsync, fd);
    work->asked.flags = data_only ? 1 : 0;
    co_return co_await perform_in_thread(loop, "syncing a file", work);
}

} // namespace rondo::detail
