#include "io/send_file.hpp"

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/as_result.hpp>

#include "io/bytes_access.hpp"
#include "io/file_operations.hpp"
#include "io/operation_awaiter.hpp"
#include "io/sending_lease.hpp"
#include "io/sock_checks.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <string>

#include <unistd.h>

namespace rondo::detail {

namespace {

// What one call moves at most: it may keep the loop waiting for the disk.
constexpr std::size_t most_at_once = 262'144;

/// sendfile(2) and the file systems' answers where the two do not go together.
bool means_unavailable(std::int64_t error) noexcept {
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == ESPIPE || error == EOVERFLOW;
}

/// One operation on the socket; its result, a negative one too, counted when it is positive.
coro<std::int64_t> send_once(operation_awaiter& sending, const file_destination& to, file_progress& progress) {
    if (to.lease && to.lease->is_revoked()) std::rethrow_exception(to.lease->reason());
    const sending_lease::use during(to.lease, sending.asked);
    const auto outcome = co_await as_result(sending);
    if (sending.asked.result > 0) progress.sent += static_cast<std::size_t>(sending.asked.result);
    if (to.lease && to.lease->is_revoked() && sending.asked.result < 0 && outcome)
        std::rethrow_exception(to.lease->reason());
    co_return outcome.value();
}

enum class native_result { done, unavailable };

coro<native_result> send_natively(event_loop& loop, const file_destination& to, int file, std::size_t count,
                                  file_progress& progress) {
    while (progress.sent < count) {
        operation_awaiter sending(loop, operation_kind::sendfile, to.fd, to.method);
        sending.asked.flags = static_cast<std::uint32_t>(file);
        sending.asked.offset = progress.next();
        sending.asked.size = std::min(count - progress.sent, most_at_once);
        const std::int64_t result = co_await send_once(sending, to, progress);
        if (result == 0) break;
        if (result > 0) continue;
        if (progress.sent == 0 && means_unavailable(-result)) co_return native_result::unavailable;
        throw_os_error(static_cast<int>(-result), with_fd(to.method, to.fd));
    }
    co_return native_result::done;
}

coro<> send_by_reading(event_loop& loop, const file_destination& to, int file, std::size_t count,
                       file_progress& progress) {
    bytes buffer = bytes_access::make(std::min(count, to.buffer_size));
    while (progress.sent < count) {
        const std::span<std::byte> room(buffer.data(), std::min(buffer.size(), count - progress.sent));
        const std::int64_t read = co_await read_from_file(loop, file, room, progress.next());
        if (read == 0) co_return;
        if (read < 0) throw_os_error(static_cast<int>(-read), std::string(to.method) + ": cannot read the file");
        const std::size_t end = progress.sent + static_cast<std::size_t>(read);
        for (const std::byte* from = buffer.data(); progress.sent < end;) {
            operation_awaiter sending(loop, operation_kind::send, to.fd, to.method);
            sending.asked.data = from;
            sending.asked.size = end - progress.sent;
            from += checked(co_await send_once(sending, to, progress), to.method, to.fd);
        }
    }
}

} // namespace

file_progress::~file_progress() {
    loop_access::backend(loop_).os().seek(file_, static_cast<std::int64_t>(next()), SEEK_SET);
}

coro<std::size_t> send_file(event_loop& loop, file_destination to, int file, sendfile_options options) {
    const std::size_t count = options.count.value_or(std::numeric_limits<std::size_t>::max());
    file_progress progress(loop, file, options.offset);
    if (co_await send_natively(loop, to, file, count, progress) == native_result::unavailable) {
        if (!options.fallback)
            throw sendfile_not_available_error(std::string(to.method) + ": the kernel cannot send this file (fd " +
                                               std::to_string(file) + ") on this socket");
        co_await send_by_reading(loop, to, file, count, progress);
    }
    co_return progress.sent;
}

} // namespace rondo::detail
