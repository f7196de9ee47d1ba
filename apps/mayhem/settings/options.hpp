// The command line: from words to settings.
#pragma once

#include "settings/settings.hpp"

#include <string>
#include <variant>

namespace mayhem {

/// `mayhem host`: this process is one host of a local fleet. Started by the fleet, not by people.
struct host_settings {
    std::string name;
};

/// --help, --version: print this and end well.
struct just_print {
    std::string text;
};

using command = std::variant<settings, host_settings, just_print>;

/// Throws bad_input naming the option at fault. The settings are validated.
command parse_options(int argc, const char* const* argv);

} // namespace mayhem
