// Knowing that another thread sleeps in the kernel, for tests of what wakes it.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <thread>

#include <sys/types.h>

namespace rondo::test {

/// Returns when the thread (gettid(2)) sleeps in a system call.
inline void wait_until_blocked(pid_t thread) {
    for (;;) {
        std::ifstream in("/proc/self/task/" + std::to_string(thread) + "/stat");
        std::string line;
        std::getline(in, line);
        const std::size_t name_end = line.rfind(')'); // proc(5): pid (name) state ...
        if (name_end != std::string::npos && line.substr(name_end + 2, 1) == "S") return;
        std::this_thread::yield();
    }
}

} // namespace rondo::test
