#include "chatterbox/cleaned.hpp"

#include <cstddef>

namespace chatterbox {

namespace {

/// How long the well-formed character at the beginning is (Unicode, table 3-7); 0: there is none.
std::size_t character_in(std::string_view text) {
    const auto in = [&](std::size_t at, unsigned least, unsigned most) {
        return at < text.size() && static_cast<unsigned char>(text[at]) >= least &&
               static_cast<unsigned char>(text[at]) <= most;
    };
    const auto more = [&](std::size_t at) { return in(at, 0x80, 0xbf); };
    if (in(0, 0x00, 0x7f)) return 1;
    if (in(0, 0xc2, 0xdf) && more(1)) return 2;
    const bool three = (in(0, 0xe0, 0xe0) && in(1, 0xa0, 0xbf)) || (in(0, 0xed, 0xed) && in(1, 0x80, 0x9f)) ||
                       ((in(0, 0xe1, 0xec) || in(0, 0xee, 0xef)) && more(1));
    if (three && more(2)) return 3;
    const bool four = (in(0, 0xf0, 0xf0) && in(1, 0x90, 0xbf)) || (in(0, 0xf4, 0xf4) && in(1, 0x80, 0x8f)) ||
                      (in(0, 0xf1, 0xf3) && more(1));
    return four && more(2) && more(3) ? 4 : 0;
}

/// C0, DEL and C1: what could move somebody's cursor.
bool is_control(std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    return first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0);
}

} // namespace

std::string cleaned(std::string_view line) {
    std::string text;
    while (!line.empty()) {
        const std::size_t size = character_in(line);
        if (size == 0) text += "\uFFFD";
        else if (!is_control(line.substr(0, size))) text += line.substr(0, size);
        line.remove_prefix(size == 0 ? 1 : size);
    }
    text.erase(0, text.find_first_not_of(' '));
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

} // namespace chatterbox
