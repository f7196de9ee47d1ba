// Locks that a fork() must not break.
#pragma once

#include <mutex>

#include <pthread.h>

namespace rondo::detail {

/// From now on the mutex that `of` gives, which lives for ever, is held over each fork(): the child does not inherit one that
/// a thread which it does not have has locked. (pthread_atfork(3))
template <std::mutex& (*of)()> void hold_over_fork() noexcept {
    static const int once = ::pthread_atfork([] { of().lock(); }, [] { of().unlock(); }, [] { of().unlock(); });
    static_cast<void>(once);
}

} // namespace rondo::detail
