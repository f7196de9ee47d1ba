// The table of restarts in an SQLite file. Blocks; the store uses it on its writer thread only.
#pragma once

#include "store/restart_record.hpp"
#include "store/sqlite.hpp"

#include <filesystem>
#include <span>

namespace mayhem {

/// Looks at the database without changing it. No file: nothing to complain of. Throws bad_input naming the file when it is
/// damaged, another program's, or another version's.
void check_restart_table(const std::filesystem::path& path);

struct restart_write {
    restart_record row;
    bool only_claim = false; // nothing is written
    write_answer answer = {};
};

class restart_table {
public:
    /// Opens or creates. Throws sqlite_error.
    explicit restart_table(const std::filesystem::path& path, const char* vfs = nullptr);

    /// All in one transaction and in their order. It is on disk on return. Throws sqlite_error: then none is.
    void write(std::span<restart_write> writes);

private:
    write_answer write_one(const restart_record& row);
    write_answer claim_one(const restart_record& row);

    sqlite_database db_;
    sqlite_statement upsert_;
    sqlite_statement find_;
};

} // namespace mayhem
