// write_file(): a whole file.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/bytes.hpp>

#include <string>

namespace rondo {

struct write_file_options {
    bool replace = false;        // whoever reads finds the old file or the new one, never a part
    bool sync = false;           // returns when it would survive a loss of power
    unsigned permissions = 0666; // of a file that is made; less the process's umask
};

/// Makes `data` the contents of a file, which is made if need be. The data is borrowed until the await ends. Suspends; errors
/// as with async_file.
///
/// As it is by default, a file is emptied and written: keeps its owner and its links, and is left half written by a failure or
/// a cancellation. With `replace` a new file, with the permissions of the old one, is written beside it and renamed, and
/// removed again if that fails or is cancelled; a symbolic link is replaced, not followed. (pathlib.Path.write_bytes)
///
///     co_await rondo::write_file("state.json", text, {.replace = true, .sync = true});
coro<> write_file(std::string path, bytes_view data, write_file_options options = {});

} // namespace rondo
