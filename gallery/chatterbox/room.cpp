#include "chatterbox/room.hpp"

#include <utility>

namespace chatterbox {

namespace {
constexpr std::size_t longest_name = 32;
}

std::string room::names() const {
    std::string list;
    for (const auto& [name, who] : guests_) list += (list.empty() ? "" : ", ") + name;
    return list;
}

void room::tell_all(const std::string& line, const guest* except) {
    for (const auto& [name, who] : guests_)
        if (who != except) who->tell(line);
}

bool guest::enter(std::string name) {
    if (name.empty() || name.size() > longest_name || !room_.guests_.emplace(name, this).second) {
        tell("Username " + name + " not available\nUsername: ");
        return false;
    }
    name_ = std::move(name);
    room_.tell_all("User " + name_ + " arrived.\n");
    return true;
}

void guest::say(const std::string& line) {
    if (line == "NAMES") tell(room_.names() + "\n");
    else if (!line.empty()) room_.tell_all(name_ + ": " + line + "\n", this);
}

bool guest::is_too_long(std::string_view line) {
    if (line.size() <= longest_line) return false;
    tell("Lines are no longer than " + std::to_string(longest_line) + " bytes.\n");
    return true;
}

void guest::leave() {
    if (name_.empty()) return;
    room_.guests_.erase(name_);
    room_.tell_all("User " + std::exchange(name_, {}) + " departed.\n");
}

} // namespace chatterbox
