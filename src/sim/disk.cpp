#include "sim/disk.hpp"

#include "sim/labels.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace rondo::sim::detail {

namespace {

std::string_view directory_of(std::string_view path) noexcept {
    return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
}

} // namespace

void disk::name_change::apply(directory& in) const {
    if (!from.empty()) in.erase(from);
    if (!to.empty()) in.insert_or_assign(to, what);
}

std::string_view disk::name_change::place() const noexcept { return directory_of(to.empty() ? from : to); }

void disk::clear() noexcept {
    seen_.clear();
    medium_.clear();
    changes_.clear();
    next_number_ = 1;
    power_ = 0;
}

std::string disk::full_path(std::string_view path) {
    std::string full = (std::filesystem::path("/") / path).lexically_normal().string();
    while (full.size() > 1 && full.ends_with('/')) full.pop_back();
    return full;
}

disk::file disk::find(const std::string& path) const noexcept {
    const auto at = seen_.find(path);
    return at == seen_.end() ? nullptr : at->second;
}

bool disk::is_directory(const std::string& path) const noexcept {
    if (path == "/") return true;
    const std::string inside = path + '/';
    const auto at = seen_.lower_bound(inside);
    return at != seen_.end() && at->first.starts_with(inside);
}

void disk::change(name_change c) {
    c.apply(seen_);
    changes_.push_back(std::move(c));
}

disk::file disk::create(const std::string& path, unsigned permissions) {
    auto made = std::make_shared<stored_file>(next_number_++, permissions);
    change({.from = {}, .to = path, .what = made});
    return made;
}

int disk::rename(const std::string& from, const std::string& to) {
    const file what = find(from);
    if (!what) return is_directory(from) ? -EXDEV : -ENOENT; // no directory is ever moved
    if (is_directory(to)) return -EISDIR;
    if (from != to) change({.from = from, .to = to, .what = what});
    return 0;
}

int disk::remove(const std::string& path) {
    if (!find(path)) return is_directory(path) ? -EISDIR : -ENOENT;
    change({.from = path, .to = {}, .what = nullptr});
    return 0;
}

void disk::sync_directory(const std::string& path) {
    std::erase_if(changes_, [&](const name_change& c) {
        if (c.place() != path) return false;
        c.apply(medium_);
        return true;
    });
}

std::vector<std::string> disk::names() const {
    std::vector<std::string> all;
    for (const auto& [name, what] : seen_) all.push_back(name);
    return all;
}

void disk::lose_power(simulation& world) {
    ++power_;
    const auto n = static_cast<std::uint32_t>(changes_.size());
    const std::uint32_t lost = world.choose(n + 1, labels::how_many_names_are_lost);
    for (std::uint32_t i = 0; i < n - lost; ++i) changes_[i].apply(medium_);
    changes_.clear();
    seen_ = medium_;
    for (const auto& [name, what] : seen_) what->lose_power(world);
}

} // namespace rondo::sim::detail
