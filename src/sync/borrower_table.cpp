#include <rondo/sync/detail/borrower_table.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace rondo::detail {

std::string borrower::name() const {
    if (task) return task->name();
    if (!given_name.empty()) return given_name;
    std::ostringstream address;
    address << key;
    return address.str();
}

void borrower_table::insert(borrower&& b) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    borrower& slot = slots_[find(b.key)];
    slot = std::move(b);
    slot.number = ++last_number_;
    ++size_;
}

/// What stands behind it in its cluster and could not be found past the gap moves up.
bool borrower_table::erase(const void* key) noexcept {
    if (!contains(key)) return false;
    const std::size_t mask = slots_.size() - 1;
    std::size_t gap = find(key);
    for (std::size_t i = (gap + 1) & mask; slots_[i].key; i = (i + 1) & mask) {
        const std::size_t distance_from_home = (i - home(slots_[i].key)) & mask;
        if (distance_from_home < ((i - gap) & mask)) continue;
        slots_[gap] = std::move(slots_[i]);
        gap = i;
    }
    slots_[gap] = borrower();
    --size_;
    return true;
}

std::vector<const borrower*> borrower_table::in_order() const {
    std::vector<const borrower*> all;
    all.reserve(size_);
    for_each([&](const borrower& b) { all.push_back(&b); });
    std::sort(all.begin(), all.end(), [](const borrower* a, const borrower* b) { return a->number < b->number; });
    return all;
}

/// Addresses differ in their middle bits: a multiplication (Knuth 6.4) spreads those over the upper half, which is used.
std::size_t borrower_table::home(const void* key) const noexcept {
    const std::uint64_t hash = reinterpret_cast<std::uintptr_t>(key) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(hash >> 32) & (slots_.size() - 1);
}

std::size_t borrower_table::find(const void* key) const noexcept {
    std::size_t i = home(key);
    while (slots_[i].key && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
    return i;
}

void borrower_table::grow() {
    std::vector<borrower> before(slots_.empty() ? 8 : slots_.size() * 2);
    before.swap(slots_);
    for (borrower& b : before) {
        if (b.key) slots_[find(b.key)] = std::move(b);
    }
}

} // namespace rondo::detail
