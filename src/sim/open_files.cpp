#include "sim/open_files.hpp"

#include "sim/labels.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <unistd.h>

namespace rondo::sim::detail {

namespace {

using namespace std::chrono_literals;
using rondo::detail::operation;
using rondo::detail::operation_kind;

constexpr int first_file_descriptor = 100'000; // sockets and pipes are below
constexpr std::uint64_t largest_file = 1u << 30;
constexpr std::uint64_t at_position = static_cast<std::uint64_t>(-1);
constexpr std::array<duration, 4> disk_times{0ns, 1ms, 100ms, 5s};
constexpr std::array medium_errors{EIO};
constexpr std::array room_errors{ENOSPC, EIO, EDQUOT};

bool reads(int flags) noexcept { return (flags & O_ACCMODE) != O_WRONLY; }
bool writes(int flags) noexcept { return (flags & O_ACCMODE) != O_RDONLY; }

std::uint64_t traced(const operation& op) noexcept {
    return mixed(static_cast<std::uint64_t>(op.fd) << 8 | static_cast<std::uint64_t>(op.kind)) ^
           mixed(static_cast<std::uint64_t>(op.result));
}

} // namespace

void open_files::clear() noexcept {
    open_.clear();
    waiting_.clear();
    submitted_ = 0;
    disk.clear();
}

void open_files::describe_open(std::vector<std::string>& to) const {
    for (const auto& [fd, file] : open_) to.push_back("the file " + file.path + " (fd " + std::to_string(fd) + ")");
}

int open_files::use(int fd, open_file*& found) {
    const auto at = open_.find(fd);
    if (at == open_.end()) return -EBADF;
    found = &at->second;
    return found->power == disk.power() ? 0 : -EIO; // the machine that had it open is no more
}

/// All of them, as a rule.
std::size_t open_files::some_of(std::size_t n, label what) {
    const std::uint32_t fewer =
        n > 1 ? world_.choose_if(world_.faults.partial, static_cast<std::uint32_t>(n), what) : 0;
    return fewer ? fewer : n;
}

int open_files::open(std::string_view path, int flags, unsigned permissions) {
    const allocating_for_the_world own;
    if (path.empty()) return -ENOENT;
    constexpr std::array table_errors{EMFILE, ENFILE, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, table_errors, labels::no_descriptor_for_a_file))
        return error;
    const std::string name = disk::full_path(path);
    disk::file what = disk.find(name);
    if (!what && disk.is_directory(name)) return -EISDIR;
    if (!what && path.ends_with('/')) return flags & O_CREAT ? -EISDIR : -ENOENT;
    if (what && (flags & O_CREAT) && (flags & O_EXCL)) return -EEXIST;
    if (what && ((flags & O_DIRECTORY) || path.ends_with('/'))) return -ENOTDIR;
    if (!what && !(flags & O_CREAT)) return -ENOENT;
    constexpr std::array errors{EIO, EACCES, ENOSPC};
    if (const int error =
            world_.error(world_.faults.storage, std::span(errors).first(what ? 2 : 3), labels::opening_a_file_fails))
        return error;
    if (!what) what = disk.create(name, permissions);
    else if ((flags & O_TRUNC) && writes(flags) && what->size() > 0) what->truncate(0);
    int fd = first_file_descriptor;
    for (const auto& [taken, file] : open_) fd += taken == fd;
    open_.emplace(fd, open_file{.what = std::move(what), .path = name, .flags = flags, .power = disk.power()});
    return fd;
}

int open_files::open_null(bool for_writing) {
    const allocating_for_the_world own;
    constexpr std::array errors{EMFILE, ENFILE, ENOMEM};
    if (const int error = world_.error(world_.faults.resources, errors, labels::no_descriptor_for_a_file)) return error;
    int fd = first_file_descriptor;
    for (const auto& [taken, file] : open_) fd += taken == fd;
    open_.emplace(fd, open_file{.what = nullptr,
                                .path = "/dev/null",
                                .flags = for_writing ? O_WRONLY : O_RDONLY,
                                .power = disk.power()});
    return fd;
}

/// Closed in any case.
int open_files::close(int fd) {
    const auto at = open_.find(fd);
    if (at == open_.end()) return -EBADF;
    const allocating_for_the_world own;
    const bool may_fail = at->second.what && writes(at->second.flags);
    open_.erase(at);
    return world_.error(may_fail && world_.faults.storage, medium_errors, labels::closing_a_file_fails);
}

std::int64_t open_files::read(int fd, std::span<std::byte> to, std::uint64_t offset) {
    const allocating_for_the_world own;
    open_file* f = nullptr;
    if (const int error = use(fd, f)) return error;
    if (!reads(f->flags)) return -EBADF;
    if (!f->what) return 0;
    if (const int error = world_.error(world_.faults.storage, medium_errors, labels::reading_a_file_fails))
        return error;
    const std::uint64_t from = offset == at_position ? f->position : offset;
    const std::size_t there = f->what->size() > from ? f->what->size() - from : 0;
    const std::size_t n = some_of(std::min<std::size_t>(to.size(), there), labels::how_little_of_a_file_is_read);
    f->what->read(from, to.data(), n);
    if (offset == at_position) f->position += n;
    return static_cast<std::int64_t>(n);
}

std::int64_t open_files::write(int fd, std::span<const std::byte> from, std::uint64_t offset) {
    const allocating_for_the_world own;
    open_file* f = nullptr;
    if (const int error = use(fd, f)) return error;
    if (!writes(f->flags)) return -EBADF;
    if (!f->what || from.empty()) return static_cast<std::int64_t>(from.size());
    const std::uint64_t to = f->flags & O_APPEND ? f->what->size() : offset == at_position ? f->position : offset;
    if (to + from.size() > largest_file) return -EFBIG;
    if (const int error = world_.error(world_.faults.storage, room_errors, labels::writing_a_file_fails)) return error;
    const std::size_t n = some_of(from.size(), labels::how_little_of_a_file_is_written);
    f->what->write(to, from.data(), n);
    if (offset == at_position) f->position = to + n;
    return static_cast<std::int64_t>(n);
}

/// What becomes of the changes when it fails is the file system's affair: fsync(2) promises nothing.
int open_files::sync(int fd) {
    const allocating_for_the_world own;
    open_file* f = nullptr;
    if (const int error = use(fd, f)) return error;
    if (!f->what) return -EINVAL;
    constexpr std::array errors{EIO, ENOSPC};
    if (const int error = world_.error(world_.faults.storage, errors, labels::syncing_a_file_fails)) {
        if (!f->what->has_changes()) return error;
        switch (world_.choose(3, labels::what_a_failed_sync_loses)) {
        case 1: f->what->forget_changes(); break;
        case 2: f->what->drop_changes(); break;
        default: break; // nothing: the next one may succeed
        }
        return error;
    }
    f->what->sync();
    return 0;
}

int open_files::truncate(int fd, std::uint64_t size) {
    const allocating_for_the_world own;
    open_file* f = nullptr;
    if (const int error = use(fd, f)) return error;
    if (!f->what || !writes(f->flags)) return -EINVAL;
    if (size > largest_file) return -EFBIG;
    if (const int error = world_.error(world_.faults.storage, room_errors, labels::truncating_a_file_fails))
        return error;
    f->what->truncate(size);
    return 0;
}

std::int64_t open_files::size(int fd) const {
    const auto at = open_.find(fd);
    if (at == open_.end()) return -EBADF;
    return at->second.what ? static_cast<std::int64_t>(at->second.what->size()) : 0;
}

std::int64_t open_files::seek(int fd, std::int64_t offset, int whence) {
    const auto at = open_.find(fd);
    if (at == open_.end()) return -EBADF;
    open_file& f = at->second;
    std::int64_t from = 0;
    if (whence == SEEK_CUR) from = static_cast<std::int64_t>(f.position);
    else if (whence == SEEK_END) from = size(fd);
    else if (whence != SEEK_SET) return -EINVAL;
    if (from + offset < 0) return -EINVAL;
    f.position = static_cast<std::uint64_t>(from + offset);
    return from + offset;
}

int open_files::set_permissions(int fd, unsigned permissions) {
    open_file* f = nullptr;
    if (const int error = use(fd, f)) return error;
    if (f->what) f->what->permissions = permissions;
    return 0;
}

int open_files::permissions(std::string_view path) {
    const allocating_for_the_world own;
    const std::string name = disk::full_path(path);
    if (const disk::file what = disk.find(name)) return static_cast<int>(what->permissions);
    return disk.is_directory(name) ? 0755 : -ENOENT;
}

int open_files::rename(std::string_view from, std::string_view to) {
    const allocating_for_the_world own;
    if (const int error = world_.error(world_.faults.storage, room_errors, labels::renaming_a_file_fails)) return error;
    return disk.rename(disk::full_path(from), disk::full_path(to));
}

int open_files::remove(std::string_view path) {
    const allocating_for_the_world own;
    if (const int error = world_.error(world_.faults.storage, medium_errors, labels::removing_a_file_fails))
        return error;
    return disk.remove(disk::full_path(path));
}

int open_files::sync_directory(std::string_view path) {
    const allocating_for_the_world own;
    if (const int error = world_.error(world_.faults.storage, medium_errors, labels::syncing_a_directory_fails))
        return error;
    disk.sync_directory(disk::full_path(path));
    return 0;
}

bool open_files::takes(const operation& op) const noexcept {
    return op.kind >= operation_kind::open || op.fd >= first_file_descriptor;
}

std::int64_t open_files::perform(operation& op) {
    switch (op.kind) {
    case operation_kind::open:
        return open(static_cast<const char*>(op.data), static_cast<int>(op.flags), static_cast<unsigned>(op.size));
    case operation_kind::close: return close(op.fd);
    case operation_kind::fsync: return sync(op.fd);
    case operation_kind::read: return read(op.fd, {static_cast<std::byte*>(op.buffer), op.size}, op.offset);
    case operation_kind::write: return write(op.fd, {static_cast<const std::byte*>(op.data), op.size}, op.offset);
    case operation_kind::poll: return has(op.fd) ? static_cast<std::int64_t>(op.flags) : -EBADF; // never waits
    case operation_kind::recv:
    case operation_kind::send:
    case operation_kind::recvmsg:
    case operation_kind::sendmsg:
    case operation_kind::accept:
    case operation_kind::connect:
    case operation_kind::sendfile: break;
    }
    return has(op.fd) ? -ENOTSOCK : -EBADF;
}

bool open_files::submit(operation& op) {
    const allocating_for_the_world own;
    op.result = 0;
    const duration takes = world_.choose_delay(disk_times, labels::how_long_the_disk_takes);
    if (takes == duration::zero()) {
        op.result = perform(op);
        world_.choices.trace(traced(op));
        return true;
    }
    op.phase = operation::state::submitted;
    op.note = 0;
    const std::uint64_t number = submitted_++;
    waiting_.emplace(number, &op);
    world_.later.enter(world_.now + takes, [this, number] { answer(number); });
    return false;
}

void open_files::answer(std::uint64_t number) {
    const auto at = waiting_.find(number);
    if (at == waiting_.end()) return;
    operation& op = *at->second;
    waiting_.erase(at);
    world_.network.settle(op, perform(op));
}

/// What the disk has begun it ends; and nobody could tell whether a descriptor is closed.
bool open_files::cancel(operation& op) {
    const allocating_for_the_world own;
    const auto at = std::ranges::find(waiting_, &op, [](const auto& entry) { return entry.second; });
    if (at == waiting_.end()) return false;
    waiting_.erase(at);
    op.phase = operation::state::cancelling;
    const bool done =
        op.kind == operation_kind::close || world_.choose_if(world_.faults.races, 2, labels::done_all_the_same) != 0;
    world_.network.settle(op, done ? perform(op) : -ECANCELED);
    return true;
}

void open_files::cancel_all() {
    while (!waiting_.empty()) cancel(*waiting_.begin()->second);
}

} // namespace rondo::sim::detail
