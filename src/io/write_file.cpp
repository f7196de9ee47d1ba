#include <rondo/io/write_file.hpp>

#include <rondo/io/async_file.hpp>
#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/uninterrupted.hpp>

#include "io/file_operations.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <utility>

namespace rondo {

namespace {

void check(std::int64_t result, const char* what, const std::string& path) {
    if (result < 0) detail::throw_os_error(static_cast<int>(-result), std::string(what) + " '" + path + "'");
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == path.npos ? "." : path.substr(0, slash + 1);
}

/// A name beside `path` that nobody else has.
std::string name_beside(event_loop& loop, const std::string& path) {
    char text[16];
    const auto end = std::to_chars(text, text + sizeof text, detail::loop_access::backend(loop).random(), 16).ptr;
    return path + "." + std::string(text, end) + ".tmp";
}

coro<> fill(async_file& file, bytes_view data, bool sync) {
    co_await file.write(data);
    if (sync) co_await file.sync();
    co_await file.aclose();
}

coro<> sync_directory(event_loop& loop, std::string path) {
    const std::string directory = directory_of(path);
    check(co_await detail::in_thread(loop, "syncing a directory",
                                     [directory](detail::os& files) { return files.sync_directory(directory); }),
          "cannot sync", directory);
}

/// Until the new file has the place of the old one.
coro<> fill_and_rename(event_loop& loop, async_file& file, std::string path, bytes_view data, bool sync) {
    const std::int64_t permissions = co_await detail::in_thread(
        loop, "looking at a file", [path](detail::os& files) { return files.permissions(path); });
    if (permissions >= 0) {
        check(detail::loop_access::backend(loop).os().set_permissions(file.fd(), static_cast<unsigned>(permissions)),
              "cannot set the permissions of", file.path());
    } else if (permissions != -ENOENT) {
        check(permissions, "cannot replace", path);
    }
    const std::string from = file.path();
    co_await fill(file, data, sync);
    check(co_await detail::in_thread(loop, "renaming a file",
                                     [from, path](detail::os& files) { return files.rename(from, path); }),
          "cannot replace", path);
}

coro<> replace_file(event_loop& loop, std::string path, bytes_view data, write_file_options options) {
    async_file file = co_await open_file(name_beside(loop, path), "x", {.permissions = options.permissions});
    auto replaced = co_await as_result(fill_and_rename(loop, file, path, data, options.sync));
    if (!replaced) {
        detail::uninterrupted cleanup;
        file.close();
        co_await detail::in_thread(loop, "removing a file",
                                   [name = file.path()](detail::os& files) { return files.remove_file(name); });
    }
    replaced.value();
    if (options.sync) co_await sync_directory(loop, std::move(path));
}

} // namespace

coro<> write_file(std::string path, bytes_view data, write_file_options options) {
    event_loop& loop = running_loop();
    if (options.replace) {
        co_await replace_file(loop, std::move(path), data, options);
        co_return;
    }
    async_file file = co_await open_file(path, "w", {.permissions = options.permissions});
    co_await fill(file, data, options.sync);
    if (options.sync) co_await sync_directory(loop, std::move(path));
}

} // namespace rondo
