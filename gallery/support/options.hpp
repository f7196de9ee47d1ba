// The command line of a gallery program: read, explained by --help, refused in one line.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery {

/// Each option is declared and read in one call; done() answers --help (exit 0) and refuses what nobody asked for (exit 2).
/// Values are given as `--digits 9` or `--digits=9`. The summary is the program's first comment line.
///
///     gallery::options options(argc, argv, "Searches that take turns.");
///     const auto digits = options.number("--digits", 9, 1, 18, "how many digits the prime must have");
///     const bool slow = options.flag("--slow", "let a person watch");
///     options.done();
class options {
public:
    options(int argc, char** argv, std::string summary) : summary_(std::move(summary)) {
        const std::string_view path = argv[0];
        const std::string_view file = path.substr(path.rfind('/') + 1);
        name_ = "gallery/" + std::string(file.starts_with("gallery-") ? file.substr(8) : file);
        for (int i = 1; i < argc; ++i) {
            const std::string_view word = argv[i];
            const std::size_t equals = word.starts_with("--") ? word.find('=') : word.npos;
            words_.emplace_back(word.substr(0, equals));
            if (equals != word.npos) words_.emplace_back(word.substr(equals + 1));
        }
        help_ = take("--help") || take("-h");
    }

    bool flag(std::string_view name, std::string_view meaning) {
        explain(std::string(name), meaning);
        return take(name);
    }
    std::int64_t number(std::string_view name, std::int64_t fallback, std::int64_t least, std::int64_t most,
                        std::string_view meaning) {
        const std::string range = std::to_string(least) + " to " + std::to_string(most);
        explain(std::string(name) + " N", std::string(meaning) + " (" + std::to_string(fallback) + ")");
        return read(name, fallback, least, most, "a whole number from " + range);
    }
    std::chrono::nanoseconds seconds(std::string_view name, std::chrono::nanoseconds fallback,
                                     std::string_view meaning) {
        using fractional = std::chrono::duration<double>;
        char shown[32];
        std::snprintf(shown, sizeof shown, " (%g)", fractional(fallback).count());
        explain(std::string(name) + " S", std::string(meaning) + shown);
        const double value = read(name, fractional(fallback).count(), 0.0, 1e9, "seconds");
        return std::chrono::round<std::chrono::nanoseconds>(fractional(value));
    }
    std::string text(std::string_view name, std::string fallback, std::string_view meaning) {
        explain(std::string(name) + " TEXT", std::string(meaning) + " (" + fallback + ")");
        return value_of(name, std::move(fallback), "a value");
    }

    /// Another way to call the program, for --help.
    void also(std::string_view arguments, std::string_view meaning) { explain(std::string(arguments), meaning); }

    void done() {
        if (help_) {
            std::printf("%s\n\nusage: ./dev run %s [options]\n\n", summary_.c_str(), name_.c_str());
            explain("--help", "this text");
            for (const auto& [name, meaning] : explained_) std::printf("  %-20s %s\n", name.c_str(), meaning.c_str());
            std::exit(0);
        }
        if (!words_.empty()) refuse("does not know '" + words_.front() + "'; --help lists its options");
        std::setvbuf(stdout, nullptr, _IOLBF, 0); // through a pipe, too, each line is there when it is printed
    }

private:
    bool take(std::string_view name) { return std::erase(words_, name) != 0; }
    std::string value_of(std::string_view name, std::string fallback, const std::string& what) {
        const auto at = std::find(words_.begin(), words_.end(), name);
        if (at == words_.end() || help_) return fallback;
        if (at + 1 == words_.end()) refuse(std::string(name) + " needs " + what);
        std::string value = at[1];
        words_.erase(at, at + 2);
        return value;
    }
    template <class T> T read(std::string_view name, T fallback, T least, T most, const std::string& what) {
        const std::string given = value_of(name, "", what);
        if (given.empty()) return fallback;
        T value{};
        const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
        if (error != std::errc() || end != given.data() + given.size() || !(value >= least && value <= most))
            refuse(std::string(name) + " needs " + what + ", not '" + given + "'");
        return value;
    }
    [[noreturn]] void refuse(const std::string& why) {
        std::fprintf(stderr, "%s: %s\n", name_.c_str(), why.c_str());
        std::exit(2);
    }
    void explain(std::string name, std::string_view meaning) { explained_.emplace_back(std::move(name), meaning); }

    std::string name_;
    std::string summary_;
    std::vector<std::string> words_;
    std::vector<std::pair<std::string, std::string>> explained_;
    bool help_ = false;
};

} // namespace gallery
