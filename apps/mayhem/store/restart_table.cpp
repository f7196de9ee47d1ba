#include "store/restart_table.hpp"

#include "base/errors.hpp"

#include <fmt/format.h>

#include <system_error>

namespace mayhem {

namespace {

constexpr std::int64_t application_id = 0x4D41594D; // "MAYM"
constexpr std::int64_t schema_version = 1;

// Reading every page of a larger file would make a start take seconds; damage there shows when a page is used.
constexpr std::uintmax_t largest_checked_bytes = 256u << 20;

constexpr const char* schema = R"(
    CREATE TABLE restarts (
        request_id      TEXT    NOT NULL PRIMARY KEY,
        host            TEXT    NOT NULL,
        requested_at    INTEGER NOT NULL,
        sequence        INTEGER NOT NULL,
        delivery        INTEGER NOT NULL,
        state           TEXT    NOT NULL CHECK (state IN ('started', 'restarted', 'failed')),
        started_at      INTEGER NOT NULL,
        finished_at     INTEGER NOT NULL,
        instance_before TEXT    NOT NULL,
        instance_after  TEXT    NOT NULL,
        detail          TEXT    NOT NULL
    ) STRICT, WITHOUT ROWID;
)";

// A finished row is never changed, and an unfinished one only by its own delivery or a later one.
constexpr std::string_view upsert = R"(
    INSERT INTO restarts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (request_id) DO UPDATE SET
        sequence = excluded.sequence, delivery = excluded.delivery, state = excluded.state,
        started_at = excluded.started_at, finished_at = excluded.finished_at,
        instance_before = excluded.instance_before, instance_after = excluded.instance_after, detail = excluded.detail
    WHERE restarts.state = 'started'
      AND (excluded.sequence, excluded.delivery) >= (restarts.sequence, restarts.delivery)
)";

constexpr std::string_view find = "SELECT * FROM restarts WHERE request_id = ?1";

std::string_view text_of(restart_state state) {
    switch (state) {
    case restart_state::started: return "started";
    case restart_state::restarted: return "restarted";
    case restart_state::failed: break;
    }
    return "failed";
}

restart_state state_of(std::string_view text) {
    if (text == "restarted") return restart_state::restarted;
    return text == "failed" ? restart_state::failed : restart_state::started;
}

std::int64_t number_of(wall_time t) { return t.time_since_epoch().count(); }

wall_time time_of(std::int64_t number) { return wall_time(std::chrono::milliseconds(number)); }

restart_record record_of(const sqlite_statement& row) {
    return {.what = {.id = row.text(0), .host = row.text(1), .requested_at = time_of(row.integer(2))},
            .by = {.sequence = static_cast<std::uint64_t>(row.integer(3)),
                   .count = static_cast<std::uint32_t>(row.integer(4))},
            .state = state_of(row.text(5)),
            .started_at = time_of(row.integer(6)),
            .finished_at = time_of(row.integer(7)),
            .instance_before = row.text(8),
            .instance_after = row.text(9),
            .detail = row.text(10)};
}

sqlite_database open_prepared(const std::filesystem::path& path, const char* vfs) {
    sqlite_database db(path, sqlite_database::mode::write, vfs);
    // FULL: in WAL mode a commit is on disk when it returns, which an acknowledgement to the broker relies on.
    db.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    if (db.integer("PRAGMA user_version") == 0) {
        db.execute(fmt::format("BEGIN IMMEDIATE; {} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
                               schema, application_id, schema_version));
    }
    return db;
}

} // namespace

void check_restart_table(const std::filesystem::path& path) {
    std::error_code ignored;
    const std::uintmax_t size = std::filesystem::file_size(path, ignored);
    if (!std::filesystem::exists(path, ignored) || size == 0) return;
    try {
        sqlite_database db(path, sqlite_database::mode::look);
        const bool empty = db.integer("SELECT count(*) FROM sqlite_schema") == 0;
        const std::int64_t id = db.integer("PRAGMA application_id");
        if (empty && id == 0) return;
        if (id != application_id) throw bad_input(fmt::format("{} is the database of another program", path.string()));
        if (db.integer("PRAGMA user_version") != schema_version) {
            throw bad_input(fmt::format("{} was written by another version of mayhem", path.string()));
        }
        if (size > largest_checked_bytes) return;
        const std::string found = db.text("PRAGMA quick_check(1)");
        if (found != "ok")
            throw bad_input(fmt::format("{} is damaged: {}; move it away or restore it", path.string(), found));
    } catch (const sqlite_error& e) {
        throw bad_input(fmt::format("{} cannot be used: {}; move it away or restore it", path.string(), e.what()));
    }
}

restart_table::restart_table(const std::filesystem::path& path, const char* vfs)
    : db_(open_prepared(path, vfs)), upsert_(db_.prepare(upsert)), find_(db_.prepare(find)) {}

void restart_table::write(std::span<restart_write> writes) {
    db_.execute("BEGIN IMMEDIATE");
    try {
        for (restart_write& w : writes) w.answer = w.only_claim ? claim_one(w.row) : write_one(w.row);
        db_.execute("COMMIT");
    } catch (...) {
        try {
            db_.execute("ROLLBACK");
        } catch (const sqlite_error&) {
            // SQLite has rolled back by itself, as it does after a full disk; the first error is the one to tell.
        }
        throw;
    }
}

write_answer restart_table::write_one(const restart_record& row) {
    upsert_.bind(1, row.what.id)
        .bind(2, row.what.host)
        .bind(3, number_of(row.what.requested_at))
        .bind(4, static_cast<std::int64_t>(row.by.sequence))
        .bind(5, std::int64_t{row.by.count})
        .bind(6, text_of(row.state))
        .bind(7, number_of(row.started_at))
        .bind(8, number_of(row.finished_at))
        .bind(9, row.instance_before)
        .bind(10, row.instance_after)
        .bind(11, row.detail);
    upsert_.step();
    upsert_.reset();
    return db_.changes() > 0 ? write_answer{} : claim_one(row);
}

write_answer restart_table::claim_one(const restart_record& row) {
    std::optional<restart_record> found;
    find_.bind(1, row.what.id);
    if (find_.step()) found = record_of(find_);
    find_.reset();
    if (!found || *found == row) return {};
    if (found->state != restart_state::started) return {.what = write_answer::kind::finished, .row = std::move(found)};
    return {.what = row.by < found->by ? write_answer::kind::fenced : write_answer::kind::granted};
}

} // namespace mayhem
