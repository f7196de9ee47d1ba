// What a stranger sent, made fit for other people's terminals.
#pragma once

#include <string>
#include <string_view>

namespace chatterbox {

/// The line as UTF-8: each byte that belongs to no character becomes U+FFFD, control characters and the spaces around are dropped.
/// Lines are cut before characters are looked at, so a character may come in two reads.
std::string cleaned(std::string_view line);

} // namespace chatterbox
