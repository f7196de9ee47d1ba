// read_file(): a whole file.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/bytes.hpp>

#include <string>

namespace rondo {

/// All that is in a file. Suspends; errors and cancellation as with async_file. (pathlib.Path.read_bytes)
///
///     const rondo::bytes settings = co_await rondo::read_file("settings.toml");
coro<bytes> read_file(std::string path);

} // namespace rondo
