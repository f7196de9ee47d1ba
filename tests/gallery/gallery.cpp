#include "gallery/gallery.hpp"

#include <sstream>

namespace gallery::test {

std::string path_of(std::string_view name) { return std::string(GALLERY_BIN "/gallery-").append(name); }

std::vector<std::string> names() {
    std::vector<std::string> all;
    std::istringstream list(GALLERY_NAMES);
    for (std::string name; std::getline(list, name, ',');) all.push_back(name.substr(name.find('-') + 1));
    return all;
}

std::filesystem::path sources() { return std::filesystem::path(GALLERY_ROOT) / "gallery"; }

} // namespace gallery::test
