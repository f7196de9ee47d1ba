#include "store/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

namespace mayhem {

namespace {

// Another program may look into the database while we write. It is given this long before a write fails and is tried again.
constexpr int busy_timeout_ms = 2000;

// A plain read-only connection would create an empty log and its index where there are none.
std::string uri_of(const std::filesystem::path& path) {
    std::string uri = "file:";
    for (const char c : std::filesystem::absolute(path).string()) {
        if (c == '?' || c == '#' || c == '%') uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        else uri += c;
    }
    return uri + (std::filesystem::exists(path.string() + "-wal") ? "" : "?immutable=1");
}

} // namespace

sqlite_statement::sqlite_statement(sqlite3* db, std::string_view sql) : db_(db) {
    sqlite3_stmt* prepared = nullptr;
    check(sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &prepared,
                             nullptr));
    statement_.reset(prepared);
}

sqlite_statement& sqlite_statement::bind(int index, std::int64_t value) {
    check(sqlite3_bind_int64(statement_.get(), index, value));
    return *this;
}

sqlite_statement& sqlite_statement::bind(int index, std::string_view value) {
    check(sqlite3_bind_text(statement_.get(), index, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT));
    return *this;
}

bool sqlite_statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) {
        const sqlite_error error(code & 0xff, sqlite3_errmsg(db_));
        reset();
        throw error;
    }
    return false;
}

void sqlite_statement::reset() noexcept { sqlite3_reset(statement_.get()); }

std::int64_t sqlite_statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string sqlite_statement::text(int column) const {
    const unsigned char* bytes = sqlite3_column_text(statement_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes), size);
}

void sqlite_statement::check(int code) const {
    if (code != SQLITE_OK) throw sqlite_error(code & 0xff, sqlite3_errmsg(db_));
}

void sqlite_statement::finalize::operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }

sqlite_database::sqlite_database(const std::filesystem::path& path, mode how, const char* vfs) {
    const std::string name = how == mode::look ? uri_of(path) : path.string();
    const int flags =
        how == mode::look ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(name.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, vfs);
    db_.reset(opened);
    if (code != SQLITE_OK)
        throw sqlite_error(code & 0xff, opened != nullptr ? sqlite3_errmsg(opened) : sqlite3_errstr(code));
    sqlite3_busy_timeout(opened, busy_timeout_ms);
}

void sqlite_database::execute(const std::string& sql) {
    const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) throw sqlite_error(code & 0xff, sqlite3_errmsg(db_.get()));
}

std::int64_t sqlite_database::integer(std::string_view sql) {
    sqlite_statement query = prepare(sql);
    query.step();
    return query.integer(0);
}

std::string sqlite_database::text(std::string_view sql) {
    sqlite_statement query = prepare(sql);
    query.step();
    return query.text(0);
}

int sqlite_database::changes() const noexcept { return sqlite3_changes(db_.get()); }

void sqlite_database::close::operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }

} // namespace mayhem
