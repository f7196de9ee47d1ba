#include "broker/journal.hpp"

#include "base/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

namespace mayhem {

namespace {

// The last character is the version of the format.
constexpr std::string_view magic = "MAYHEM-JOURNAL-1";
constexpr std::string_view magic_of_any_version = magic.substr(0, magic.size() - 1);

[[noreturn]] void damaged(const std::filesystem::path& path, std::uint64_t offset, std::string_view why) {
    throw bad_input(
        fmt::format("{} is damaged at offset {}: {}; move it away or restore it", path.string(), offset, why));
}

void check_magic(const std::filesystem::path& path, std::string_view bytes) {
    const std::string_view start = bytes.substr(0, magic.size());
    if (start == magic) return;
    if (start.substr(0, magic_of_any_version.size()) == magic_of_any_version) {
        throw bad_input(fmt::format("{} was written by another version of mayhem", path.string()));
    }
    throw bad_input(fmt::format("{} is not a mayhem journal", path.string()));
}

// Everything the ledger holds, as the shortest journal that leads to it.
std::string written_anew(const ledger& messages) {
    std::string bytes(magic);
    for (const auto& [sequence, m] : messages.messages()) append_record(bytes, journal_record::carried{m});
    append_record(bytes, journal_record::numbered{messages.next_sequence()});
    return bytes;
}

} // namespace

journal_image read_journal(const std::filesystem::path& path, disk& on) {
    journal_image image;
    if (!on.exists(path)) return image;
    const std::string bytes = file(path, file::mode::read, on).read_all();
    if (bytes.size() < magic.size() && magic.starts_with(bytes)) {
        image.torn = bytes.size();
        return image;
    }
    check_magic(path, bytes);

    image.size = magic.size();
    while (image.size < bytes.size()) {
        const read_result next = read_record(std::string_view(bytes).substr(image.size));
        if (next.state == record_state::damaged) damaged(path, image.size, "a record has a wrong checksum");
        if (next.state == record_state::torn) break;
        try {
            image.messages.apply(*next.value);
        } catch (const impossible_record& e) {
            damaged(path, image.size, e.what());
        }
        image.size += next.size;
    }
    image.torn = bytes.size() - image.size;
    return image;
}

journal::journal(std::filesystem::path path, const journal_image& image, options o, disk& on)
    : path_(std::move(path)), disk_(on), options_(o), out_(path_, file::mode::append, on), size_(image.size) {
    if (image.torn > 0) out_.truncate(size_);
    if (size_ == 0) {
        out_.write_all(magic);
        size_ = magic.size();
    }
    out_.sync();
    sync_directory(path_.parent_path(), on);
}

void journal::append(std::string_view records) {
    if (broken_)
        throw std::system_error(EIO, std::generic_category(), "an earlier write to " + path_.string() + " failed");
    broken_ = true;
    out_.write_all(records);
    out_.sync();
    size_ += records.size();
    if (size_ > std::max(options_.compact_above, 4 * compacted_size_)) compact();
    broken_ = false;
}

void journal::compact() {
    const std::string bytes = written_anew(read_journal(path_, disk_).messages);
    replace_file(path_, bytes, disk_);
    out_ = file(path_, file::mode::append, disk_);
    size_ = bytes.size();
    compacted_size_ = size_;
}

} // namespace mayhem
