// As much of SQLite as we use, with owners and exceptions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace mayhem {

struct sqlite_error : std::runtime_error {
    sqlite_error(int code, const std::string& message) : runtime_error(message), code(code) {}
    int code; // the primary result code
};

/// A prepared statement. Bind from 1, step, read columns from 0, reset.
class sqlite_statement {
public:
    sqlite_statement(sqlite3* db, std::string_view sql);

    sqlite_statement& bind(int index, std::int64_t value);
    sqlite_statement& bind(int index, std::string_view value);
    bool step(); // false: done
    void reset() noexcept;
    std::int64_t integer(int column) const;
    std::string text(int column) const;

private:
    struct finalize {
        void operator()(sqlite3_stmt* s) const noexcept;
    };
    void check(int code) const;

    sqlite3* db_;
    std::unique_ptr<sqlite3_stmt, finalize> statement_;
};

/// A connection, for one thread at a time.
class sqlite_database {
public:
    /// look: without leaving a trace. Of a database that was closed properly this reads the file and nothing else; after a
    /// crash it has to read the write-ahead log, too, and SQLite makes its index file beside it.
    enum class mode { look, write };

    /// `vfs`: the name of SQLite's way to the files; null: its own.
    sqlite_database(const std::filesystem::path& path, mode how, const char* vfs = nullptr);

    void execute(const std::string& sql);
    sqlite_statement prepare(std::string_view sql) { return {db_.get(), sql}; }
    std::int64_t integer(std::string_view sql); // of the first column of the first row
    std::string text(std::string_view sql);
    int changes() const noexcept;

private:
    struct close {
        void operator()(sqlite3* db) const noexcept;
    };
    std::unique_ptr<sqlite3, close> db_;
};

} // namespace mayhem
