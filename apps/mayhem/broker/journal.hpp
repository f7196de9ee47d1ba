// The file that the broker's messages live in: read once at the start, appended to, rewritten when it has grown.
#pragma once

#include "base/file.hpp"
#include "broker/ledger.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace mayhem {

/// What a journal file holds.
struct journal_image {
    ledger messages;
    std::uint64_t size = 0; // of what is valid
    std::uint64_t torn = 0; // bytes behind it: a write that a crash interrupted. Nobody was told that it had succeeded
};

/// Reads a journal; a file that does not exist is an empty one. Changes nothing. Throws bad_input naming file and offset when
/// the file is not a journal of this version, or damaged elsewhere than at a torn end.
journal_image read_journal(const std::filesystem::path& path, disk& on = real_disk());

/// Appends durably. Used by one thread at a time, which may block; not tied to a loop.
///
/// After a failed write nobody knows what reached the disk: the journal is broken then, and every further append fails. The
/// next start reads what is really there.
class journal {
public:
    struct options {
        /// Rewritten when it is larger than this and four times what was needed at the last rewrite: each byte that is kept
        /// is copied a third of a time on average, and a start reads little more than this.
        std::uint64_t compact_above = 32u << 20;
    };

    /// Opens or creates the file, whose content is `image`, and cuts off a torn end. Throws std::system_error.
    journal(std::filesystem::path path, const journal_image& image, options o, disk& on = real_disk());
    journal(std::filesystem::path path, const journal_image& image) : journal(std::move(path), image, options()) {}

    /// Records as append_record() makes them. Returns when they are on disk. Throws std::system_error.
    void append(std::string_view records);

    std::uint64_t size() const noexcept { return size_; }

private:
    void compact();

    std::filesystem::path path_;
    disk& disk_;
    options options_;
    file out_;
    std::uint64_t size_ = 0;
    std::uint64_t compacted_size_ = 0;
    bool broken_ = false;
};

} // namespace mayhem
