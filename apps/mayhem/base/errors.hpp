// The errors of mayhem that somebody decides upon. Anything else is a std::exception and means "unexpected".
#pragma once

#include <stdexcept>

namespace mayhem {

/// What a person gave us cannot be used: an option, a directory, a file. The message is one line that names it; the program
/// ends with code 2 and has changed nothing.
struct bad_input : std::runtime_error {
    using runtime_error::runtime_error;
};

/// The delivery is no longer ours: its lease expired, or it was settled before. Whoever gets this stops side effects.
struct lease_lost : std::runtime_error {
    using runtime_error::runtime_error;
};

/// This restart failed and another attempt may succeed.
struct restart_failed : std::runtime_error {
    using runtime_error::runtime_error;
};

/// No attempt can succeed: the host does not exist, the request makes no sense.
struct restart_impossible : std::runtime_error {
    using runtime_error::runtime_error;
};

} // namespace mayhem
