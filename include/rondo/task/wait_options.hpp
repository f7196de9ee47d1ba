// When wait() returns.
#pragma once

#include <rondo/loop/clock.hpp>

namespace rondo {

/// first_exception: as all_completed when none fails; a cancelled one does not count as failed.
enum class return_when { all_completed, first_completed, first_exception };
inline constexpr return_when all_completed = return_when::all_completed;
inline constexpr return_when first_completed = return_when::first_completed;
inline constexpr return_when first_exception = return_when::first_exception;

struct wait_options {
    delay timeout = no_timeout;
    rondo::return_when return_when = rondo::return_when::all_completed;
};

} // namespace rondo
