// What an error says, in one line.
#pragma once

#include <exception>
#include <string>

namespace mayhem {

/// The message of an exception; of a group, those of its members. "cancelled" for a cancellation.
std::string error_text(const std::exception_ptr& error);

} // namespace mayhem
