#include <rondo/io/read_file.hpp>

#include <rondo/io/async_file.hpp>

#include <utility>

namespace rondo {

coro<bytes> read_file(std::string path) {
    async_file file = co_await open_file(std::move(path));
    co_return co_await file.read_all();
}

} // namespace rondo
