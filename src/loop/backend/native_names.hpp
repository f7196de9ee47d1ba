// Names for addresses of code.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace rondo::detail {

/// "function+0x1c in program (+0x2f31c)" for each: the offset in the file is what addr2line(1) takes. Functions without external
/// linkage, coroutines among them, are found in the file's symbol table, unless that was stripped; then the name is missing.
/// The first is an address of code, the others are where calls return to. Opens files; not for signal handlers.
std::vector<std::string> names_of(std::span<void* const> addresses);

} // namespace rondo::detail
