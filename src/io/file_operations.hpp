// What can be done with a file, on whatever the backend has for it: operations, or an executor's threads.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/bytes.hpp>

#include "io/file_call.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace rondo::detail {

/// In place of an offset: where the file's position is, which moves on.
inline constexpr std::uint64_t at_position = static_cast<std::uint64_t>(-1);

// Each gives the system call's result, or -errno. Cancelled, it ends when the kernel has answered; what was done by then is
// given all the same. Buffers are borrowed until then, but where the loop is closed in the middle nobody uses them any more.

coro<std::int64_t> open_descriptor(event_loop& loop, std::string path, int flags, unsigned permissions);
coro<std::int64_t> close_descriptor(event_loop& loop, int fd);
/// May be fewer bytes than there are.
coro<std::int64_t> read_from_file(event_loop& loop, int fd, std::span<std::byte> into, std::uint64_t offset);
coro<std::int64_t> write_to_file(event_loop& loop, int fd, bytes_view data, std::uint64_t offset);
coro<std::int64_t> sync_file(event_loop& loop, int fd, bool data_only);

/// One of os's calls that wait for the disk: in_thread(loop, "rename", [=](os& files) { return files.rename(from, to); }).
template <class F> coro<std::int64_t> in_thread(event_loop& loop, const char* doing, F call) {
    os& files = loop_access::backend(loop).os();
    file_call calling(doing, [&files, call = std::move(call)]() -> std::int64_t { return call(files); });
    co_return co_await calling;
}

} // namespace rondo::detail
