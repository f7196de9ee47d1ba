// What the kernel asks for by itself: waking a thread that sleeps, and running a child with three pipes.

#include "measure.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using bench::meter;

void must(long result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

/// Blocks in epoll_wait() for an eventfd, as a loop does.
class sleeper {
public:
    sleeper() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
        must(event_, "eventfd");
        epoll_event interest{};
        interest.events = EPOLLIN;
        must(epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &interest), "epoll_ctl");
    }
    ~sleeper() {
        close(event_);
        close(epoll_);
    }
    void wake() const { must(eventfd_write(event_, 1), "eventfd_write"); }
    void sleep() const {
        epoll_event event{};
        eventfd_t count = 0;
        while (epoll_wait(epoll_, &event, 1, -1) != 1) {}
        must(eventfd_read(event_, &count), "eventfd_read");
    }

private:
    int event_;
    int epoll_;
};

void wake_each_other(meter& m) {
    const sleeper here;
    const sleeper there;
    std::thread other([&] {
        bench::pin_to_last_core();
        for (std::uint64_t i = 0; i < m.n; ++i) {
            there.sleep();
            here.wake();
        }
    });
    bench::pin_to_first_core();
    m.start();
    const auto before = bench::wall_nanoseconds();
    for (std::uint64_t i = 0; i < m.n; ++i) {
        there.wake();
        here.sleep();
    }
    m.value(static_cast<double>(bench::wall_nanoseconds() - before) / 1000.0 / static_cast<double>(m.n));
    m.stop();
    other.join();
}

/// A pipe, both ends close-on-exec.
struct pipe_pair {
    pipe_pair() { must(pipe2(ends, O_CLOEXEC), "pipe2"); }
    ~pipe_pair() {
        for (const int fd : ends)
            if (fd >= 0) close(fd);
    }
    void close_end(int which) {
        close(ends[which]);
        ends[which] = -1;
    }
    int ends[2];
};

struct child_setup {
    const char* program;
    pipe_pair in;
    pipe_pair out;
    pipe_pair err;
};

int in_the_child(void* argument) {
    auto& setup = *static_cast<child_setup*>(argument);
    dup2(setup.in.ends[0], 0);
    dup2(setup.out.ends[1], 1);
    dup2(setup.err.ends[1], 2);
    char* const arguments[] = {const_cast<char*>(setup.program), nullptr};
    execve(setup.program, arguments, environ);
    _exit(127);
}

void read_to_end(int fd) {
    char buffer[4096];
    while (read(fd, buffer, sizeof buffer) > 0) {}
}

/// clone() that shares memory until the child runs its program, so that the size of this process does not matter.
void one_child(const char* program) {
    alignas(64) static char stack[65536];
    child_setup setup{program, {}, {}, {}};
    int process = -1;
    must(clone(in_the_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &setup, &process),
         "clone");
    setup.in.close_end(0);
    setup.out.close_end(1);
    setup.err.close_end(1);
    setup.in.close_end(1);
    read_to_end(setup.out.ends[0]);
    read_to_end(setup.err.ends[0]);
    pollfd ended{process, POLLIN, 0};
    poll(&ended, 1, -1);
    siginfo_t status{};
    must(waitid(P_PIDFD, static_cast<id_t>(process), &status, WEXITED), "waitid");
    close(process);
}

void children(meter& m) {
    const char* program = std::getenv("RONDO_BENCH_CHILD");
    if (!program) throw std::runtime_error("RONDO_BENCH_CHILD names no program");
    one_child(program);
    m.start();
    const auto before = bench::wall_nanoseconds();
    for (std::uint64_t i = 0; i < m.n; ++i) one_child(program);
    m.value(static_cast<double>(bench::wall_nanoseconds() - before) / 1000.0 / static_cast<double>(m.n));
    m.stop();
}

void children_of_a_large_process(meter& m) {
    const std::vector<char> ballast(std::size_t{1} << 30, 1);
    bench::keep(ballast);
    children(m);
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv,
                          {{"threadsafe/asleep", wake_each_other, 5000},
                           {"subprocess", children, 300},
                           {"subprocess/large", children_of_a_large_process, 300}});
}
