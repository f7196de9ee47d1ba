// Processes: what they are given, how they end, what goes wrong.
#include "loop/backend/posix_os.hpp"
#include "support/seccomp.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rondo::detail {
namespace {

class ProcessSpawn : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "rondo-spawn-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = std::filesystem::canonical(name);
        before = open_descriptors();
    }
    void TearDown() override {
        EXPECT_EQ(open_descriptors(), before) << "descriptors were leaked";
        std::filesystem::remove_all(folder);
    }
    static std::ptrdiff_t open_descriptors() {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                             std::filesystem::directory_iterator());
    }
    std::string file(const std::string& name, const std::string& text, int mode) {
        const std::filesystem::path path = folder / name;
        std::ofstream(path) << text;
        std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
        return path;
    }

    /// How it ended.
    int wait(const spawned_process& child) {
        pollfd p{.fd = child.pidfd, .events = POLLIN, .revents = 0};
        while (::poll(&p, 1, -1) < 0) {}
        int status = 12345;
        EXPECT_EQ(os.reap(child, status), 1);
        ::close(child.pidfd);
        return status;
    }
    /// What it writes, and how it ended.
    std::pair<std::string, int> output_of(spawn_request request) {
        std::array<int, 2> out{};
        EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
        request.out = out[1];
        spawned_process child;
        const int error = os.spawn(request, child);
        ::close(out[1]);
        std::string text;
        std::array<char, 4096> buffer{};
        for (ssize_t n = 0; (n = ::read(out[0], buffer.data(), buffer.size())) > 0;)
            text.append(buffer.data(), static_cast<std::size_t>(n));
        ::close(out[0]);
        return {text, error < 0 ? error : wait(child)};
    }
    using answer = std::pair<std::string, int>;
    int error_of(const spawn_request& request) {
        spawned_process child;
        const int error = os.spawn(request, child);
        if (error == 0) wait(child);
        return error;
    }

    std::filesystem::path folder;
    std::ptrdiff_t before = 0;
    posix_os os;
};

using variables = std::map<std::string, std::string>;

spawn_request run(std::vector<std::string> argv) {
    spawn_request request;
    request.argv = std::move(argv);
    return request;
}
spawn_request shell(std::string script) { return run({"sh", "-c", std::move(script)}); }

TEST_F(ProcessSpawn, TellsHowItEnded) {
    EXPECT_EQ(output_of(run({"true"})), answer("", 0));
    EXPECT_EQ(output_of(shell("echo out; exit 7")), answer("out\n", 7));
    EXPECT_EQ(output_of(shell("kill -KILL $$")), answer("", -SIGKILL));
}

TEST_F(ProcessSpawn, RunsBetweenPipesUntilItsInputEnds) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    ASSERT_EQ(::pipe2(in.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
    spawn_request request = run({"cat"});
    request.in = in[0];
    request.out = out[1];
    spawned_process child;
    ASSERT_EQ(os.spawn(request, child), 0);
    EXPECT_GT(child.pid, 0);
    EXPECT_TRUE(::fcntl(child.pidfd, F_GETFD) & FD_CLOEXEC);
    ::close(in[0]);
    ::close(out[1]);
    ASSERT_EQ(::write(in[1], "meow", 4), 4);
    std::array<char, 8> buffer{};
    EXPECT_EQ(::read(out[0], buffer.data(), buffer.size()), 4);
    int status = -1;
    EXPECT_EQ(os.reap(child, status), 0) << "it still runs";
    ::close(in[1]);
    EXPECT_EQ(::read(out[0], buffer.data(), buffer.size()), 0);
    ::close(out[0]);
    EXPECT_EQ(wait(child), 0);
}

TEST_F(ProcessSpawn, CanBeSignalledUntilItIsReaped) {
    spawned_process child;
    ASSERT_EQ(os.spawn(run({"sleep", "1000"}), child), 0);
    EXPECT_EQ(os.send_signal(child, 0), 0);
    EXPECT_EQ(os.send_signal(child, SIGTERM), 0);
    pollfd p{.fd = child.pidfd, .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&p, 1, -1), 1);
    int status = 0;
    EXPECT_EQ(os.reap(child, status), 1);
    EXPECT_EQ(status, -SIGTERM);
    EXPECT_EQ(os.send_signal(child, SIGTERM), -ESRCH);
    EXPECT_EQ(os.reap(child, status), -ECHILD);
    ::close(child.pidfd);
}

TEST_F(ProcessSpawn, AStolenExitStatusIsTold) {
    spawned_process child;
    ASSERT_EQ(os.spawn(run({"true"}), child), 0);
    ASSERT_EQ(::waitpid(child.pid, nullptr, 0), child.pid);
    int status = 0;
    EXPECT_EQ(os.reap(child, status), -ECHILD);
    ::close(child.pidfd);
}

TEST_F(ProcessSpawn, WhatCannotBeRunIsToldAtOnce) {
    EXPECT_EQ(error_of(run({"rondo-no-such-program"})), -ENOENT);
    EXPECT_EQ(error_of(run({folder / "missing"})), -ENOENT);
    EXPECT_EQ(error_of(run({file("text", "text", 0644)})), -EACCES);
    EXPECT_EQ(error_of(run({file("neither", "neither script nor binary", 0755)})), -ENOEXEC);
    EXPECT_EQ(error_of(run({folder})), -EACCES);
    spawn_request elsewhere = run({"true"});
    elsewhere.cwd = folder / "missing";
    EXPECT_EQ(error_of(elsewhere), -ENOENT);
    elsewhere.cwd = folder / "text";
    EXPECT_EQ(error_of(elsewhere), -ENOTDIR);
    spawn_request closed = run({"true"});
    closed.pass_fds = {987};
    EXPECT_EQ(error_of(closed), -EBADF);
    closed = run({"true"});
    closed.in = 987;
    EXPECT_EQ(error_of(closed), -EBADF);
}

TEST_F(ProcessSpawn, AMalformedRequestIsRefused) {
    EXPECT_EQ(error_of(run({})), -EINVAL);
    EXPECT_EQ(error_of(run({""})), -EINVAL);
    EXPECT_EQ(error_of(run({"true", std::string("a\0b", 3)})), -EINVAL);
    for (const char* name : {"", "A=B"}) {
        spawn_request request = run({"true"});
        request.env = variables{{name, "value"}};
        EXPECT_EQ(error_of(request), -EINVAL);
    }
    spawn_request request = run({"true"});
    request.cwd = std::string("/\0", 2);
    EXPECT_EQ(error_of(request), -EINVAL);
}

TEST_F(ProcessSpawn, StartsInItsDirectoryAndFindsItsProgramFromThere) {
    file("tool", "#!/bin/sh\npwd -P\n", 0755);
    spawn_request request = run({"./tool"});
    request.cwd = folder;
    EXPECT_EQ(output_of(request), answer(folder.string() + "\n", 0));
}

TEST_F(ProcessSpawn, HasTheEnvironmentThatItIsGivenAndNoOther) {
    spawn_request request = run({"/usr/bin/env"});
    request.env = variables{{"A", "1"}, {"B", "x=y"}, {"C", ""}};
    EXPECT_EQ(output_of(request), answer("A=1\nB=x=y\nC=\n", 0));
    ::setenv("RONDO_SPAWN_TEST", "inherited", 1);
    EXPECT_EQ(output_of(shell("echo $RONDO_SPAWN_TEST")), answer("inherited\n", 0));
    ::unsetenv("RONDO_SPAWN_TEST");
}

TEST_F(ProcessSpawn, SearchesThePathOfTheNewEnvironment) {
    std::filesystem::create_directory(folder / "first");
    std::filesystem::create_directory(folder / "second");
    file("first/tool", "not executable", 0644);
    const std::filesystem::path tool = folder / "second/tool";
    spawn_request request = run({"tool"});
    request.env = variables{{"PATH", (folder / "first").string() + ":" + (folder / "second").string()}};
    EXPECT_EQ(error_of(request), -EACCES) << "says more than that the other was not found";
    file("second/tool", "#!/bin/sh\necho found\n", 0755);
    EXPECT_EQ(output_of(request), answer("found\n", 0));
    request.env = variables{{"PATH", ""}};
    EXPECT_EQ(error_of(request), -ENOENT);
    request.cwd = folder / "second"; // an empty path is the current directory
    EXPECT_EQ(output_of(request), answer("found\n", 0));
    request = run({"sh", "-c", "echo default"});
    request.env = variables{{"A", "1"}}; // no PATH: /bin:/usr/bin
    EXPECT_EQ(output_of(request), answer("default\n", 0));
}

TEST_F(ProcessSpawn, HasOnlyTheDescriptorsThatItIsGiven) {
    const int leaky = ::fcntl(STDERR_FILENO, F_DUPFD, 20); // without close-on-exec, as other libraries leave them
    const int higher = ::fcntl(STDERR_FILENO, F_DUPFD, 40);
    const int passed = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 30);
    spawn_request request = run({"ls", "/proc/self/fd"}); // ls opens that folder, at the lowest free number
    std::istringstream without(output_of(request).first);
    int count = 0;
    for (int fd = 0; without >> fd; ++count) EXPECT_LT(fd, 4);
    EXPECT_EQ(count, 4);
    request.pass_fds = {passed};
    std::istringstream with(output_of(request).first);
    bool seen = false;
    for (int fd = 0; with >> fd;) {
        EXPECT_TRUE(fd < 4 || fd == passed) << fd;
        seen |= fd == passed;
    }
    EXPECT_TRUE(seen);
    EXPECT_TRUE(::fcntl(passed, F_GETFD) & FD_CLOEXEC) << "here it stays as it was";
    for (const int fd : {leaky, higher, passed}) ::close(fd);
}

TEST_F(ProcessSpawn, PassedDescriptorsWork) {
    std::array<int, 2> side{};
    ASSERT_EQ(::pipe2(side.data(), O_CLOEXEC), 0);
    spawn_request request = shell("echo aside >&" + std::to_string(side[1]) + "; echo out");
    request.pass_fds = {side[1]};
    EXPECT_EQ(output_of(request), answer("out\n", 0));
    ::close(side[1]);
    std::array<char, 16> buffer{};
    EXPECT_EQ(::read(side[0], buffer.data(), buffer.size()), 6);
    EXPECT_STREQ(buffer.data(), "aside\n");
    ::close(side[0]);
}

/// The value of `name` in /proc/PID/status: a mask of signals.
std::uint64_t mask_in(const std::string& status, const std::string& name) {
    const std::size_t at = status.find(name + ":");
    return at == std::string::npos ? ~0ull : std::strtoull(status.c_str() + at + name.size() + 1, nullptr, 16);
}
std::uint64_t bit(int signal) { return 1ull << (signal - 1); }

TEST_F(ProcessSpawn, SignalsAreAsANewProgramExpectsThem) {
    static std::atomic<int> handled;
    handled = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { ++handled; };
    std::array<struct sigaction, 3> old{};
    ::sigaction(SIGUSR1, &action, &old[0]);
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, &old[1]);
    ::sigaction(SIGHUP, &action, &old[2]);
    sigset_t blocked;
    sigset_t before_mask;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGUSR2);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before_mask);

    const std::string status = output_of(run({"cat", "/proc/self/status"})).first;
    EXPECT_EQ(mask_in(status, "SigBlk"), 0u);
    EXPECT_EQ(mask_in(status, "SigCgt"), 0u);
    EXPECT_FALSE(mask_in(status, "SigIgn") & bit(SIGPIPE));
    EXPECT_TRUE(mask_in(status, "SigIgn") & bit(SIGHUP)) << "nohup works through us";

    // And here all is as it was.
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    EXPECT_TRUE(::sigismember(&now, SIGUSR2));
    EXPECT_FALSE(::sigismember(&now, SIGUSR1));
    ::raise(SIGUSR1);
    EXPECT_EQ(handled, 1);
    ::raise(SIGPIPE);

    ::pthread_sigmask(SIG_SETMASK, &before_mask, nullptr);
    ::sigaction(SIGUSR1, &old[0], nullptr);
    ::sigaction(SIGPIPE, &old[1], nullptr);
    ::sigaction(SIGHUP, &old[2], nullptr);
}

TEST_F(ProcessSpawn, ANewSessionIsItsOwn) {
    const std::string script = "read -r pid comm state parent group session rest < /proc/self/stat; [ $session = $pid "
                               "] && echo own || echo old";
    spawn_request request = shell(script);
    EXPECT_EQ(output_of(request), answer("old\n", 0));
    request.start_new_session = true;
    EXPECT_EQ(output_of(request), answer("own\n", 0));
}

/// Runs in a forked child: the standard streams of the test stay as they are.
int in_child(const std::function<bool()>& holds) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(holds() ? 0 : 1);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
}

TEST_F(ProcessSpawn, StandardStreamsMayBeExchanged) {
    EXPECT_EQ(
        in_child([&] {
            std::array<int, 2> one{};
            std::array<int, 2> two{};
            if (::pipe(one.data()) || ::pipe(two.data())) return false;
            ::dup2(one[1], 1);
            ::dup2(two[1], 2);
            spawn_request request = shell("echo to-out; echo to-err >&2");
            request.out = 2;
            request.err = 1;
            spawned_process child;
            if (os.spawn(request, child) < 0 || wait(child) != 0) return false;
            std::array<char, 16> buffer{};
            if (::read(one[0], buffer.data(), buffer.size()) != 7 || std::string_view(buffer.data(), 6) != "to-err")
                return false;
            if (::read(two[0], buffer.data(), buffer.size()) != 7 || std::string_view(buffer.data(), 6) != "to-out")
                return false;
            // One place for both, and the output in the input's place.
            request.out = one[1];
            request.err = one[1];
            if (os.spawn(request, child) < 0 || wait(child) != 0) return false;
            std::array<char, 32> both{};
            return ::read(one[0], both.data(), both.size()) == 14;
        }),
        0);
}

TEST_F(ProcessSpawn, WorksWithoutStandardStreams) {
    EXPECT_EQ(in_child([&] {
                  std::array<int, 2> out{};
                  for (const int fd : {0, 1, 2}) ::close(fd);
                  if (::pipe2(out.data(), O_CLOEXEC) || out[0] != 0) return false; // the pipe has taken their numbers
                  spawn_request request = shell("echo x");
                  request.out = out[1];
                  spawned_process child;
                  if (os.spawn(request, child) < 0 || wait(child) != 0) return false;
                  char c = 0;
                  return ::read(out[0], &c, 1) == 1 && c == 'x';
              }),
              0);
}

TEST_F(ProcessSpawn, ClosesDescriptorsWithoutCloseRangeToo) {
    EXPECT_EQ(in_child([&] {
                  if (!rondo::testing_support::deny_system_calls({SYS_close_range}, ENOSYS)) return false;
                  if (::fcntl(STDERR_FILENO, F_DUPFD, 50) < 0) return false;
                  std::istringstream numbers(output_of(run({"ls", "/proc/self/fd"})).first);
                  int fd = 0;
                  int count = 0;
                  for (; numbers >> fd; ++count) {
                      if (fd >= 4) return false;
                  }
                  return count > 0;
              }),
              0);
}

TEST_F(ProcessSpawn, AProcessThatCannotBeMadeIsAnError) {
    EXPECT_EQ(in_child([&] {
                  spawned_process child;
                  return rondo::testing_support::deny_system_calls({SYS_clone}, EAGAIN) &&
                         os.spawn(run({"true"}), child) == -EAGAIN;
              }),
              0);
}

TEST_F(ProcessSpawn, ManyAtATimeFromSeveralThreads) {
    std::array<std::thread, 4> threads;
    std::atomic<int> good = 0;
    for (std::size_t t = 0; t < threads.size(); ++t) {
        threads[t] = std::thread([&, t] {
            std::vector<spawned_process> children(10);
            for (spawned_process& child : children) {
                if (os.spawn(shell("exit " + std::to_string(t + 1)), child) < 0) return;
            }
            for (const spawned_process& child : children) good += wait(child) == static_cast<int>(t + 1);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 40);
}

} // namespace
} // namespace rondo::detail
