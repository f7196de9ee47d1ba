// Starting a program in a new process.
#pragma once

#include "loop/backend/os.hpp"

namespace rondo::detail {

/// Starts request.argv and fills `child` in. 0, or -errno of what went wrong here or in the child up to its exec: EINVAL
/// (nothing to run, or a NUL or a malformed name in a string), ENOENT and EACCES (program or directory), EMFILE, ...
///
/// The program is searched as Python's subprocess does: a name with a slash is taken as it is, relative to the new
/// directory; another is tried in each directory of PATH of the *new* environment, "/bin:/usr/bin" when that has none.
///
/// The child gets the descriptors that the request names and no other, an empty signal mask, and the default action for
/// SIGPIPE; other signals that are ignored here stay ignored. Then, in this order: directory, umask, session, process group,
/// groups, group, user; each that fails is the error. The calling thread is suspended until the child has executed
/// the program (CLONE_VFORK), so the cost does not depend on the size of this process, unless the child is
/// to be another user or group. A kernel that knows no pidfds (before
/// Linux 5.4), or a sandbox that refuses them, gives a child without one.
int spawn_process(const spawn_request& request, spawned_process& child) noexcept;

} // namespace rondo::detail
