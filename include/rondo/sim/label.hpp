// label: what a choice is about.
#pragma once

#include <cstdint>
#include <string_view>

namespace rondo::sim {

/// A string literal, so that a tape can keep it; the hash is of its text, and so the same in every process.
///
///     if (rondo::sim::perhaps("the cache is cold")) ...
class label {
public:
    consteval label(const char* text) : text_(text), hash_(hash_of(text)) {}

    constexpr std::string_view text() const noexcept { return text_; }
    constexpr std::uint64_t hash() const noexcept { return hash_; }
    friend constexpr bool operator==(label a, label b) noexcept { return a.text() == b.text(); }

private:
    /// FNV-1a.
    static constexpr std::uint64_t hash_of(std::string_view text) noexcept {
        std::uint64_t hash = 0xcbf29ce484222325;
        for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        return hash;
    }
    const char* text_;
    std::uint64_t hash_;
};

} // namespace rondo::sim
