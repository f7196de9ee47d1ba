// The same waiting by threads, processes and coroutines, and its price.

#include "support/options.hpp"

#include <rondo/rondo.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

/// What all processes of this program see.
struct tally {
    std::atomic<int> port{0};
    std::atomic<long> kib{0};
    std::atomic<long> answers{0};
    std::atomic<double> ms{0};
};

/// This process's share of its memory: what it has in common with others is divided among them.
long memory_kib() {
    std::ifstream file("/proc/self/smaps_rollup");
    for (std::string word; file >> word;)
        if (long kib = 0; word == "Pss:" && file >> kib) return kib;
    return 0;
}

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::_Exit(1);
}

// region server
/// Somebody far away: each answer takes 20 ms.
rondo::coro<> answer(rondo::stream_reader reader, rondo::stream_writer writer) {
    while (auto line = co_await reader.read_line()) {
        co_await rondo::sleep(20ms);
        co_await writer.write(*line);
    }
    writer.close();
}
rondo::coro<> serve(tally& all, int ready) {
    auto server = co_await rondo::start_server(answer, "127.0.0.1", 0, {.backlog = 1024});
    all.port = server.port();
    if (::write(ready, "", 1) != 1) fail("write");
    co_await rondo::sleep_forever();
}
// endregion

// region blocking
/// One job, for a thread or a process of its own.
void blocking_job(tally& all, long requests, bool weigh) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(all.port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) fail("connect");
    char line[5];
    for (long i = 0; i < requests; ++i) {
        if (::send(fd, "ping\n", 5, 0) != 5 || ::recv(fd, line, 5, MSG_WAITALL) != 5) fail("ping");
        ++all.answers;
        if (weigh && i == requests / 2) all.kib += memory_kib();
    }
    ::close(fd);
}

void by_threads(tally& all, long jobs, long requests) {
    all.kib = -memory_kib();
    std::vector<std::jthread> threads;
    for (long i = 0; i < jobs; ++i) threads.emplace_back(blocking_job, std::ref(all), requests, i == 0);
}

void by_processes(tally& all, long jobs, long requests) {
    for (long i = 0; i < jobs; ++i) {
        const pid_t child = ::fork();
        if (child < 0) fail("fork");
        if (child == 0) {
            blocking_job(all, requests, true);
            std::_Exit(0);
        }
    }
    while (::wait(nullptr) > 0) {}
}
// endregion

// region coroutines
rondo::coro<> job(tally& all, long requests, bool weigh) {
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", static_cast<std::uint16_t>(all.port));
    for (long i = 0; i < requests; ++i) {
        co_await writer.write("ping\n");
        co_await reader.read_exactly(5);
        ++all.answers;
        if (weigh && i == requests / 2) all.kib += memory_kib();
    }
    co_await writer.aclose();
}

void by_coroutines(tally& all, long jobs, long requests) {
    all.kib = -memory_kib();
    rondo::run([&]() -> rondo::coro<> {
        co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
            for (long i = 0; i < jobs; ++i) group.create_task(job, std::ref(all), requests, i == 0);
            co_return;
        });
    });
}
// endregion

// region measure
/// In a process of its own, so that nothing of it is left for the next.
void measure(const char* name, tally& all, const std::function<void()>& work) {
    all.kib = 0;
    all.answers = 0;
    const pid_t child = ::fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        const auto began = std::chrono::steady_clock::now();
        work();
        all.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
        std::_Exit(0);
    }
    int status = 0;
    rusage used{}; // with that of its own children
    ::wait4(child, &status, 0, &used);
    if (status != 0) std::exit(1);
    std::printf("%-12s %8ld %9.0f ms %9ld KiB %10ld\n", name, all.answers.load(), all.ms.load(), all.kib.load(),
                used.ru_nvcsw + used.ru_nivcsw);
}
// endregion

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "The same waiting by threads, processes and coroutines, and its price.");
    const auto jobs = options.number("--jobs", 100, 1, 1000, "how many at a time");
    const auto requests = options.number("--requests", 10, 1, 1000, "of each, one after the other");
    options.done();

    void* shared = ::mmap(nullptr, sizeof(tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) fail("mmap");
    tally& all = *new (shared) tally;
    int ready[2];
    if (::pipe(ready) != 0) fail("pipe");
    const pid_t server = ::fork();
    if (server < 0) fail("fork");
    if (server == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // with us
        rondo::run(serve, std::ref(all), ready[1]);
    }
    ::close(ready[1]);
    if (char byte = 0; ::read(ready[0], &byte, 1) != 1) return 1; // it could not serve, and has said why

    std::printf("%ld jobs at a time, %ld requests each, 20 ms for an answer: %ld ms of waiting\n", jobs, requests,
                requests * 20);
    std::printf("%-12s %8s %12s %13s %10s\n", "by", "answers", "time", "memory", "switches");
    measure("threads", all, [&] { by_threads(all, jobs, requests); });
    std::fflush(stdout);
    measure("processes", all, [&] { by_processes(all, jobs, requests); });
    std::fflush(stdout);
    measure("coroutines", all, [&] { by_coroutines(all, jobs, requests); });
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
}
