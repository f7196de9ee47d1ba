#include "sim/stored_file.hpp"

#include "sim/labels.hpp"
#include "sim/simulation.hpp"

#include <algorithm>
#include <cstring>

namespace rondo::sim::detail {

void stored_file::change::apply(std::vector<std::byte>& to, std::size_t part) const {
    if (truncates) {
        to.resize(at);
        return;
    }
    if (to.size() < at + part) to.resize(at + part);
    if (part > 0) std::memcpy(to.data() + at, bytes.data(), part);
}

std::size_t stored_file::read(std::uint64_t offset, std::byte* to, std::size_t n) const noexcept {
    if (offset >= seen_.size()) return 0;
    n = std::min<std::size_t>(n, seen_.size() - offset);
    if (n > 0) std::memcpy(to, seen_.data() + offset, n);
    return n;
}

void stored_file::write(std::uint64_t offset, const std::byte* from, std::size_t n) {
    if (n == 0) return;
    changes_.push_back({.truncates = false, .at = offset, .bytes = {from, from + n}});
    changes_.back().apply(seen_);
}

void stored_file::truncate(std::uint64_t size) {
    changes_.push_back({.truncates = true, .at = size, .bytes = {}});
    changes_.back().apply(seen_);
}

void stored_file::sync() {
    for (const change& c : changes_) c.apply(medium_);
    changes_.clear();
}

void stored_file::drop_changes() {
    changes_.clear();
    seen_ = medium_;
}

void stored_file::keep_torn(simulation& world, const change& c) {
    const std::size_t size = c.bytes.size();
    c.apply(medium_, size > 1 ? world.choose(static_cast<std::uint32_t>(size), labels::where_a_write_is_torn) : 0);
}

void stored_file::lose_power(simulation& world) {
    enum : std::uint32_t { everything, nothing, the_first, some };
    const auto n = static_cast<std::uint32_t>(changes_.size());
    switch (n == 0 ? nothing : world.choose(4, labels::what_a_loss_of_power_leaves)) {
    case everything: sync(); break;
    case the_first: {
        const std::uint32_t whole = world.choose(n, labels::how_many_writes_are_left);
        for (std::uint32_t i = 0; i < whole; ++i) changes_[i].apply(medium_);
        if (!changes_[whole].truncates) keep_torn(world, changes_[whole]);
        break;
    }
    case some:
        for (const change& c : changes_) {
            const std::uint32_t left = world.choose(3, labels::what_is_left_of_a_write);
            if (left == 0) c.apply(medium_);
            else if (left == 2 && !c.truncates) keep_torn(world, c);
        }
        break;
    case nothing:
    default: break;
    }
    drop_changes();
}

} // namespace rondo::sim::detail
