#include <rondo/sim/files.hpp>

#include "sim/simulation.hpp"

#include <algorithm>

namespace rondo::sim {

namespace {

constexpr std::uint64_t no_offset = static_cast<std::uint64_t>(-1);

} // namespace

std::vector<std::string> simulated_files::names() const { return world_->files.disk.names(); }

bool simulated_files::exists(std::string_view path) const {
    return world_->files.disk.find(detail::disk::full_path(path)) != nullptr;
}
std::optional<std::string> simulated_files::contents(std::string_view path) const {
    const detail::disk::file found = world_->files.disk.find(detail::disk::full_path(path));
    if (!found) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(found->seen().data()), found->size());
}

void simulated_files::put(std::string_view path, std::string_view contents) {
    const detail::allocating_for_the_world own;
    detail::disk& disk = world_->files.disk;
    const std::string name = detail::disk::full_path(path);
    detail::disk::file to = disk.find(name);
    if (!to) to = disk.create(name, 0644);
    to->truncate(0);
    to->write(0, reinterpret_cast<const std::byte*>(contents.data()), contents.size());
    to->sync();
    disk.sync_directory(name.substr(0, std::max<std::size_t>(name.rfind('/'), 1)));
}

int simulated_files::open(std::string_view path, int flags, unsigned permissions) {
    return world_->files.open(path, flags, permissions);
}
int simulated_files::close(int fd) { return world_->files.close(fd); }
std::int64_t simulated_files::read_at(int fd, std::span<std::byte> to, std::uint64_t offset) {
    return world_->files.read(fd, to, offset);
}
std::int64_t simulated_files::write_at(int fd, std::span<const std::byte> from, std::uint64_t offset) {
    return world_->files.write(fd, from, offset);
}
std::int64_t simulated_files::write(int fd, std::span<const std::byte> from) {
    return world_->files.write(fd, from, no_offset);
}
std::int64_t simulated_files::size(int fd) const { return world_->files.size(fd); }
int simulated_files::truncate(int fd, std::uint64_t size) { return world_->files.truncate(fd, size); }
int simulated_files::sync(int fd) { return world_->files.sync(fd); }
int simulated_files::rename(std::string_view from, std::string_view to) { return world_->files.rename(from, to); }
int simulated_files::remove(std::string_view path) { return world_->files.remove(path); }
int simulated_files::sync_directory(std::string_view path) { return world_->files.sync_directory(path); }

} // namespace rondo::sim
