// Threads that are none: a simulated world does their work in the loop's thread, while that waits.
#pragma once

namespace rondo::detail {

/// Such work is being done. What blocks until the loop has done something would block for ever.
extern constinit thread_local bool in_simulated_thread;

} // namespace rondo::detail
