// A call graph as text.
#pragma once

#include <rondo/task/call_graph.hpp>

#include <string>
#include <string_view>

namespace rondo::detail {

/// asyncio.format_call_graph(): lines, the last one without its end. O(size of the graph).
std::string text_of(const future_call_graph& graph);

/// "app::fetch" of the "coro<int> app::fetch(Q) [Q = long]" that compilers say; what it does not understand it gives back.
std::string_view qualified_name(std::string_view pretty) noexcept;

/// As Python's repr() of a string.
std::string quoted(std::string_view text);

} // namespace rondo::detail
