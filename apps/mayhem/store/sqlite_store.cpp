#include "store/sqlite_store.hpp"

#include <utility>

namespace mayhem {

sqlite_store::sqlite_store()
    : commit_(thread_, [this](std::vector<restart_write>& writes) { table_->write(writes); }) {}

rondo::coro<> sqlite_store::open(std::filesystem::path path, const char* vfs) {
    co_await rondo::running_loop().run_in_executor(&thread_,
                                                   [this, path = std::move(path), vfs] { table_.emplace(path, vfs); });
}

// This process has the file for itself and knows what it has in hand, so looking is enough.
rondo::coro<write_answer> sqlite_store::claim(restart_record row) {
    return ask({.row = std::move(row), .only_claim = true});
}

rondo::coro<write_answer> sqlite_store::write(restart_record row) { return ask({.row = std::move(row)}); }

rondo::coro<write_answer> sqlite_store::ask(restart_write what) {
    const auto asked = commit_.add(std::move(what));
    co_await asked.durable();
    co_return asked.operation().answer;
}

rondo::coro<> sqlite_store::close() {
    co_await commit_.drain();
    co_await rondo::running_loop().run_in_executor(&thread_, [this] { table_.reset(); });
}

} // namespace mayhem
