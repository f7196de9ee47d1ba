#include "loop/backend/os_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <system_error>
#include <utility>

#include <pthread.h>
#include <sched.h>

namespace rondo::detail {

namespace {

int use_processors(const std::vector<int>& processors) noexcept {
    ::cpu_set_t set;
    CPU_ZERO(&set);
    for (const int p : processors) CPU_SET(static_cast<std::size_t>(p), &set);
    return ::sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

} // namespace

std::thread start_thread(std::string name, std::function<void()> body) {
    ::sigset_t all;
    ::sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before); // inherited by the new thread
    struct restore {
        const ::sigset_t& mask;
        ~restore() { ::pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
    } at_end{before};
    name.resize(std::min<std::size_t>(name.size(), 15)); // TASK_COMM_LEN
    std::thread started(std::move(body));
    ::pthread_setname_np(started.native_handle(), name.c_str());
    return started;
}

std::vector<int> usable_processors() {
    std::vector<int> usable;
    ::cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        for (int p = 0; p < CPU_SETSIZE; ++p) {
            if (CPU_ISSET(static_cast<std::size_t>(p), &set)) usable.push_back(p);
        }
    }
    if (usable.empty()) usable.push_back(0); // more processors than a cpu_set_t has room for
    return usable;
}

processor_pin::processor_pin(int processor) : before_(usable_processors()) {
    if (const int error = use_processors({processor}))
        throw std::system_error(error, std::generic_category(), "sched_setaffinity");
}

processor_pin::~processor_pin() { use_processors(before_); }

} // namespace rondo::detail
