// What a long-running process sees to before anything else.
#pragma once

namespace mayhem {

/// - Descriptors 0, 1 and 2 are open: otherwise the next file to be opened would get the log written into it.
/// - SIGPIPE is ignored: a reader that goes away is an error of a write, not the end.
/// - As many descriptors may be open as the system allows: each host of a local fleet needs a few.
void set_up_process() noexcept;

} // namespace mayhem
