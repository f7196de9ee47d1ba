// What a file of a simulated world holds: what its readers see, and what is on the medium.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rondo::sim::detail {

class simulation;

/// Readers see every change at once. On the medium is what sync() has brought there; of the rest nothing is promised, neither
/// that it comes whole nor that it comes in order. write() and truncate() copy the changed bytes, sync() as well.
class stored_file {
public:
    stored_file(std::uint64_t number, unsigned permissions) noexcept : permissions(permissions), number_(number) {}

    std::uint64_t number() const noexcept { return number_; }
    std::size_t size() const noexcept { return seen_.size(); }
    /// How many bytes there were; 0 at the end and behind it.
    std::size_t read(std::uint64_t offset, std::byte* to, std::size_t n) const noexcept;
    /// What lies between the end and `offset` is zero.
    void write(std::uint64_t offset, const std::byte* from, std::size_t n);
    void truncate(std::uint64_t size);

    bool has_changes() const noexcept { return !changes_.empty(); }
    void sync();
    /// A sync failed, and the changes count as written although they are not: they can be read until the power is lost, and no
    /// later sync() brings them to the medium (what Linux does).
    void forget_changes() noexcept { changes_.clear(); }
    /// A sync failed, and the changes are not to be seen any more either.
    void drop_changes();
    /// Of the changes since the last sync those are left that the tape chooses, whole or torn.
    void lose_power(simulation& world);

    const std::vector<std::byte>& seen() const noexcept { return seen_; }
    const std::vector<std::byte>& on_the_medium() const noexcept { return medium_; }

    unsigned permissions;

private:
    struct change {
        bool truncates;
        std::uint64_t at; // or the size
        std::vector<std::byte> bytes;
        /// As much of it as is `part` bytes long.
        void apply(std::vector<std::byte>& to, std::size_t part) const;
        void apply(std::vector<std::byte>& to) const { apply(to, bytes.size()); }
    };
    void keep_torn(simulation& world, const change& c);

    std::uint64_t number_;
    std::vector<std::byte> seen_;
    std::vector<std::byte> medium_;
    std::vector<change> changes_; // of what is seen, since the last sync
};

} // namespace rondo::sim::detail
