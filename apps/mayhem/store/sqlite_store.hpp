// The store in an SQLite file, written by one thread in groups.
#pragma once

#include "base/group_commit.hpp"
#include "store/restart_table.hpp"
#include "store/store.hpp"

#include <filesystem>
#include <optional>

namespace mayhem {

/// The connection is opened, used and closed on the writer thread. Needs a running loop.
class sqlite_store final : public store {
public:
    sqlite_store();

    /// Once, before anything else. Throws sqlite_error.
    rondo::coro<> open(std::filesystem::path path, const char* vfs = nullptr);
    rondo::coro<write_answer> claim(restart_record row) override;
    rondo::coro<write_answer> write(restart_record row) override;
    rondo::coro<> close() override;

private:
    rondo::coro<write_answer> ask(restart_write what);

    std::optional<restart_table> table_; // the writer thread's
    rondo::thread_pool thread_{1, "sqlite"};
    group_commit<restart_write> commit_;
};

} // namespace mayhem
