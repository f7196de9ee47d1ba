// Who has borrowed the tokens of a capacity_limiter.
#pragma once

#include <rondo/task/detail/task_record.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rondo::detail {

class limiter_token;

/// A task, a call in a thread, or whatever has an address.
struct borrower {
    const void* key = nullptr;
    counted_ptr<task_record> task = {}; // kept, so that nobody else gets its address; for a call, who awaits it
    std::string given_name = {};        // of one that is no task
    limiter_token* token = nullptr;     // of a call
    std::uint64_t number = 0;           // in the order of borrowing

    std::string name() const;
};

/// A hash table with open addressing: O(1), and no allocation from its largest size on. Its order is that of borrowing, not
/// that of addresses, so that what is shown to people is the same in each run.
class borrower_table {
public:
    std::size_t size() const noexcept { return size_; }
    bool contains(const void* key) const noexcept { return size_ > 0 && slots_[find(key)].key != nullptr; }
    /// It must not be in there.
    void insert(borrower&& b);
    /// False: it is not in there.
    bool erase(const void* key) noexcept;
    template <class F> void for_each(F fn) const {
        for (const borrower& b : slots_) {
            if (b.key) fn(b);
        }
    }
    /// Oldest first.
    std::vector<const borrower*> in_order() const;

private:
    std::size_t home(const void* key) const noexcept;
    /// Where it is, or the free slot where it would be.
    std::size_t find(const void* key) const noexcept;
    void grow();

    std::vector<borrower> slots_; // a power of two, at most three quarters full
    std::size_t size_ = 0;
    std::uint64_t last_number_ = 0;
};

} // namespace rondo::detail
