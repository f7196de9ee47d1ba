// What a signal does now.
#pragma once

namespace rondo::detail {

/// Nobody has given the signal an action of his own.
bool has_default_action(int signal) noexcept;

/// The thread that the process began with, or the one that forked it.
bool in_main_thread() noexcept;

} // namespace rondo::detail
