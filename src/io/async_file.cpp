#include <rondo/io/async_file.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/uninterrupted.hpp>

#include "io/bytes_access.hpp"
#include "io/descriptor_guard.hpp"
#include "io/file_core.hpp"
#include "io/file_operations.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace rondo {

using detail::file_core;

namespace {

constexpr std::size_t smallest_read = 16'384; // of read_all(), where the size is not known (/proc)
constexpr const char* reading = "cannot read";
constexpr const char* writing = "cannot write";

int flags_of(const std::string& mode) {
    std::string rest = mode;
    std::erase(rest, 'b');
    const bool both = rest.size() == 2 && rest.back() == '+';
    if (both) rest.pop_back();
    const int direction = both ? O_RDWR : rest == "r" ? O_RDONLY : O_WRONLY;
    if (rest == "r") return direction;
    if (rest == "w") return direction | O_CREAT | O_TRUNC;
    if (rest == "a") return direction | O_CREAT | O_APPEND;
    if (rest == "x") return direction | O_CREAT | O_EXCL;
    throw value_error("open_file(): '" + mode + "' is no mode: it is one of r, w, a and x, with + for both directions");
}

/// Coroutines of their own, because an async_file may be moved or destroyed while it is read. They check when awaited.
coro<std::size_t> read_some(std::shared_ptr<file_core> core, std::span<std::byte> into) {
    const file_core::use file(core, reading, true);
    co_return file->checked(
        co_await detail::read_from_file(file->loop(), file->descriptor(), into, detail::at_position), reading);
}

coro<bytes> read_up_to(std::shared_ptr<file_core> core, std::size_t n) {
    bytes buffer = detail::bytes_access::make(n);
    const std::size_t got = co_await read_some(std::move(core), {buffer.data(), n});
    detail::bytes_access::truncate(buffer, got);
    co_return buffer;
}

coro<bytes> read_to_the_end(std::shared_ptr<file_core> core) {
    const file_core::use file(core, reading, true);
    const std::int64_t size = file->system().file_size(file->descriptor());
    const std::int64_t here = file->system().seek(file->descriptor(), 0, SEEK_CUR);
    // One more than is expected: the end is only certain when a read has found it.
    std::size_t room = size > here && here >= 0 ? static_cast<std::size_t>(size - here) + 1 : smallest_read;
    bytes all = detail::bytes_access::make(room);
    for (std::size_t got = 0;;) {
        const std::size_t n =
            file->checked(co_await detail::read_from_file(file->loop(), file->descriptor(),
                                                          {all.data() + got, room - got}, detail::at_position),
                          reading);
        got += n;
        if (n == 0) {
            detail::bytes_access::truncate(all, got);
            co_return all;
        }
        if (got < room) continue;
        room *= 2;
        bytes larger = detail::bytes_access::make(room);
        std::memcpy(larger.data(), all.data(), got);
        all = std::move(larger);
    }
}

coro<bytes> read_from(std::shared_ptr<file_core> core, std::uint64_t offset, std::size_t n) {
    const file_core::use file(core, reading);
    bytes buffer = detail::bytes_access::make(n);
    std::size_t got = 0;
    while (got < n) {
        const std::size_t part =
            file->checked(co_await detail::read_from_file(file->loop(), file->descriptor(),
                                                          {buffer.data() + got, n - got}, offset + got),
                          reading);
        if (part == 0) break;
        got += part;
    }
    detail::bytes_access::truncate(buffer, got);
    co_return buffer;
}

coro<> write_all(std::shared_ptr<file_core> core, bytes_view data, std::uint64_t offset) {
    const bool at_position = offset == detail::at_position;
    const file_core::use file(core, writing, at_position);
    while (!data.empty()) {
        const std::size_t n =
            file->checked(co_await detail::write_to_file(file->loop(), file->descriptor(), data, offset), writing);
        if (n == 0)
            detail::throw_os_error(ENOSPC, file->doing(writing)); // a full device: nothing would ever come of it
        data = {data.data() + n, data.size() - n};
        if (!at_position) offset += n;
    }
}

coro<> truncate_to(std::shared_ptr<file_core> core, std::uint64_t size) {
    const file_core::use file(core, "cannot truncate");
    const int fd = file->descriptor();
    file->checked(co_await detail::in_thread(file->loop(), "truncating a file",
                                             [fd, size](detail::os& files) { return files.truncate(fd, size); }),
                  "cannot truncate");
}

coro<> sync_all(std::shared_ptr<file_core> core, bool data_only) {
    const file_core::use file(core, "cannot sync");
    file->checked(co_await detail::sync_file(file->loop(), file->descriptor(), data_only), "cannot sync");
}

coro<> close_and_tell(std::shared_ptr<file_core> core) {
    if (!core || core->fd() < 0) co_return;
    if (core->is_used()) {
        core->close();
        co_return;
    }
    detail::uninterrupted stretch;
    const int fd = core->release();
    std::int64_t closed = 0;
    try {
        closed = co_await detail::close_descriptor(core->loop(), fd);
    } catch (...) { // no memory, no thread: it was not even tried
        core->system().close(fd);
        throw;
    }
    core->checked(closed, "cannot close");
}

const file_core& open_core(const std::shared_ptr<file_core>& core, const char* doing) {
    if (!core || core->fd() < 0) throw runtime_error(std::string(doing) + ": the file is closed");
    return *core;
}

} // namespace

async_file::async_file() noexcept = default;
async_file::async_file(std::shared_ptr<file_core> core) noexcept : core_(std::move(core)) {}
async_file::async_file(async_file&&) noexcept = default;
async_file& async_file::operator=(async_file&& other) noexcept {
    close();
    core_ = std::move(other.core_);
    return *this;
}
async_file::~async_file() { close(); }

coro<bytes> async_file::read(std::size_t n) { return read_up_to(core_, n); }
coro<std::size_t> async_file::read_into(std::span<std::byte> buffer) { return read_some(core_, buffer); }
coro<bytes> async_file::read_all() { return read_to_the_end(core_); }
coro<bytes> async_file::read_at(std::uint64_t offset, std::size_t n) { return read_from(core_, offset, n); }
coro<> async_file::write(bytes_view data) { return write_all(core_, data, detail::at_position); }
coro<> async_file::write_at(std::uint64_t offset, bytes_view data) { return write_all(core_, data, offset); }
coro<> async_file::truncate(std::uint64_t size) { return truncate_to(core_, size); }
coro<> async_file::sync() { return sync_all(core_, false); }
coro<> async_file::sync_data() { return sync_all(core_, true); }
coro<> async_file::aclose() { return close_and_tell(core_); }

std::uint64_t async_file::seek(std::int64_t offset, seek_from from) {
    const file_core& file = open_core(core_, "seek()");
    const int whence = from == seek_from::start ? SEEK_SET : from == seek_from::current ? SEEK_CUR : SEEK_END;
    return file.checked(file.system().seek(file.fd(), offset, whence), "cannot seek in");
}
std::uint64_t async_file::tell() const {
    const file_core& file = open_core(core_, "tell()");
    return file.checked(file.system().seek(file.fd(), 0, SEEK_CUR), "cannot tell the position in");
}
std::uint64_t async_file::size() const {
    const file_core& file = open_core(core_, "size()");
    return file.checked(file.system().file_size(file.fd()), "cannot tell the size of");
}

void async_file::close() noexcept {
    if (core_) core_->close();
}
bool async_file::is_open() const noexcept { return fd() >= 0; }
int async_file::fd() const noexcept { return core_ ? core_->fd() : -1; }
const std::string& async_file::path() const noexcept {
    static const std::string none;
    return core_ ? core_->path() : none;
}

coro<async_file> open_file(std::string path, std::string mode, open_file_options options) {
    event_loop& loop = running_loop();
    // O_NONBLOCK: a FIFO that nobody writes must not be waited for before it can be refused.
    const int flags = flags_of(mode) | options.flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    const std::string failed = "cannot open '" + path + "'";
    const std::int64_t opened = co_await detail::open_descriptor(loop, path, flags, options.permissions);
    if (opened < 0) detail::throw_os_error(static_cast<int>(-opened), failed);
    detail::descriptor_guard guard(loop, static_cast<int>(opened));
    const int adopted = detail::loop_access::backend(loop).os().adopt_file(guard.fd());
    if (adopted == -EINVAL) throw value_error(failed + ": a FIFO, a socket or a terminal is no file");
    if (adopted < 0) detail::throw_os_error(-adopted, failed);
    auto core = std::make_shared<file_core>(loop, guard.fd(), std::move(path));
    guard.taken();
    co_return async_file(std::move(core));
}

} // namespace rondo
