#include "settings/data_directory.hpp"

#include "base/errors.hpp"

#include <fmt/format.h>

#include <string>
#include <system_error>

#include <unistd.h>

namespace mayhem {

namespace {

std::string without_line_end(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

} // namespace

data_directory::data_directory(const std::filesystem::path& path, disk& on) : path_(path) {
    switch (const int error = -on.make_directory(path_)) {
    case 0: break;
    case ENOTDIR: throw bad_input(fmt::format("--data: {} is not a directory", path_.string()));
    default:
        throw bad_input(
            fmt::format("--data: cannot write to {}: {}", path_.string(), std::generic_category().message(error)));
    }

    try {
        lock_ = file(path_ / "lock", file::mode::append, on);
        if (!lock_.try_lock()) {
            throw bad_input(fmt::format("--data: {} is in use by another mayhem (process {})", path_.string(),
                                        without_line_end(lock_.read_all())));
        }
        lock_.truncate(0);
        lock_.write_all(fmt::format("{}\n", ::getpid()));
    } catch (const std::system_error& e) {
        throw bad_input(fmt::format("--data: {}", e.what()));
    }
}

void check_writable_file(const std::filesystem::path& path, const char* option) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        throw bad_input(fmt::format("{}: {} is a directory", option, path.string()));
    }
    const std::filesystem::path probe = path.parent_path() / fmt::format(".mayhem-probe-{}", ::getpid());
    try {
        file(probe, file::mode::create);
    } catch (const std::system_error& e) {
        throw bad_input(fmt::format("{}: cannot write {}: {}", option, path.string(), e.code().message()));
    }
    std::filesystem::remove(probe, ignored);
}

} // namespace mayhem
