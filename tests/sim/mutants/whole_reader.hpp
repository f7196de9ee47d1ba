// A reader that takes what one read gives for the whole message.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/io/stream_reader.hpp>

#include <cstddef>
#include <string>

namespace rondo::test {

inline coro<std::string> read_message(stream_reader& from, std::size_t size) {
    const bytes got = co_await from.read(size);
    co_return std::string(got.view());
}

} // namespace rondo::test
