// subprocess_options: what a child process is given.
#pragma once

#include <rondo/io/stream_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rondo {

/// Where one of a child's three streams goes. to_stdout is for its standard error. (Enumerators, because rondo::pipe would be
/// ambiguous with pipe(2) after `using namespace rondo`.)
enum class stdio { inherit, pipe, devnull, to_stdout };

/// That, or a descriptor of ours, of which the child gets a copy.
class redirect {
public:
    constexpr redirect(stdio kind) noexcept : kind_(kind) {}
    constexpr explicit redirect(int fd) noexcept : fd_(fd) {}
    constexpr stdio kind() const noexcept { return kind_; }
    /// -1 when it is not a descriptor.
    constexpr int fd() const noexcept { return fd_; }

private:
    stdio kind_ = stdio::inherit;
    int fd_ = -1;
};

/// in, out, err: stdin, stdout and stderr are macros.
struct subprocess_options {
    redirect in = stdio::inherit;
    redirect out = stdio::inherit;
    redirect err = stdio::inherit;
    std::size_t limit = default_limit;                                    // of the readers
    std::optional<std::map<std::string, std::string>> env = std::nullopt; // not set: ours
    std::optional<std::string> cwd = std::nullopt;
    bool start_new_session = false; // setsid(2)
    std::vector<int> pass_fds = {}; // kept open, at the same numbers
    /// What is run, looked for as argv[0] would be, which the program is then told as its name; for a shell command the shell.
    std::optional<std::string> executable = std::nullopt;
    std::optional<int> process_group = std::nullopt; // setpgid(2); 0: one of its own
    // By number: names are looked up with getpwnam(3), which may wait. Set in the order groups, group, user.
    std::optional<std::uint32_t> user = std::nullopt;                      // setreuid(2)
    std::optional<std::uint32_t> group = std::nullopt;                     // setregid(2)
    std::optional<std::vector<std::uint32_t>> extra_groups = std::nullopt; // setgroups(2)
    std::optional<std::uint32_t> umask = std::nullopt;                     // umask(2)
};

namespace detail {
/// What runs a command of the shell.
std::vector<std::string> shell_arguments(std::string command, const subprocess_options& options);
} // namespace detail

} // namespace rondo
