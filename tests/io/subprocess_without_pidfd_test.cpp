// Subprocesses where the kernel gives no pidfd: a thread waits for each.
#include "io/io_test.hpp"

#include "support/forwarding_backend.hpp"
#include "support/in_child.hpp"
#include "support/seccomp.hpp"
#include "support/temporary_directory.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

struct old_kernel_script {
    int watch_error = 0; // no thread can be had
};

/// As Linux 4.18.
class old_kernel final : public test::forwarding_os {
public:
    old_kernel(detail::os& real, old_kernel_script& script) noexcept : forwarding_os(real), script_(script) {}
    int spawn(const detail::spawn_request& request, detail::spawned_process& child) noexcept override {
        const int result = forwarding_os::spawn(request, child);
        if (result >= 0) ::close(std::exchange(child.pidfd, -1));
        return result;
    }
    int watch_exit(const detail::spawned_process& child, std::function<void()> ended) noexcept override {
        return script_.watch_error ? -script_.watch_error : forwarding_os::watch_exit(child, std::move(ended));
    }

private:
    old_kernel_script& script_;
};
class on_old_kernel final : public test::forwarding_backend {
public:
    on_old_kernel(std::unique_ptr<detail::backend> real, old_kernel_script& script)
        : forwarding_backend(std::move(real)), os_(forwarding_backend::os(), script) {}
    detail::os& os() noexcept override { return os_; }

private:
    old_kernel os_;
};

/// Of the kernel: processes.
class WithoutPidfd : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<on_old_kernel>(kind, script);
    }
    old_kernel_script script;
};
RONDO_ON_EACH_BACKEND(WithoutPidfd);

bool exists(int pid) { return ::kill(pid, 0) == 0; }
bool has_children() {
    ::siginfo_t any{};
    return ::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

TEST_P(WithoutPidfd, TheReturnCodeComesAllTheSame) {
    run_io([]() -> coro<> {
        const std::size_t before = test::open_descriptors();
        auto seven = co_await create_subprocess_shell("exit 7");
        EXPECT_EQ(co_await seven.wait(), 7);
        auto sleeper = co_await create_subprocess_exec({"sleep", "1000"});
        auto waiting = create_task([&]() -> coro<int> { co_return co_await sleeper.wait(); });
        co_await pass_by(70);
        EXPECT_FALSE(waiting.done());
        sleeper.terminate();
        EXPECT_EQ(co_await waiting, -SIGTERM);
        EXPECT_THROW(sleeper.terminate(), process_lookup_error);
        auto cat = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe, .out = stdio::pipe});
        EXPECT_EQ((co_await cat.communicate(bytes("through"))).out->str(), "through");
        EXPECT_FALSE(has_children());
        while (test::open_descriptors() > before + 2) co_await yield(); // the loop's own for what comes from outside
    });
}

TEST_P(WithoutPidfd, OneThatIsDroppedIsKilledAndReaped) {
    run_io([]() -> coro<> {
        int pid = 0;
        {
            auto sleeper = co_await create_subprocess_exec({"sleep", "1000"});
            pid = sleeper.pid();
        }
        while (exists(pid)) co_await yield();
        EXPECT_FALSE(has_children());
    });
}

TEST_P(WithoutPidfd, OneThatOutlivesItsLoopIsKilledWithIt) {
    int pid = 0;
    std::optional<process> left;
    run_io([&]() -> coro<> {
        left = co_await create_subprocess_exec({"sleep", "1000"});
        pid = left->pid();
    });
    end_loop();
    EXPECT_FALSE(exists(pid));
    EXPECT_FALSE(has_children());
    EXPECT_EQ(left->returncode(), -SIGKILL);
}

TEST_P(WithoutPidfd, AStatusThatSomebodyElseTookIs255AndReported) {
    run_io([this]() -> coro<> {
        auto p = co_await create_subprocess_exec({"sleep", "1000"});
        p.kill();
        while (::waitpid(p.pid(), nullptr, 0) < 0 && errno == EINTR) {}
        EXPECT_EQ(co_await p.wait(), 255);
        const auto told = reports.take();
        EXPECT_EQ(told.size(), 1u);
        EXPECT_TRUE(told[0].mentions("was taken by somebody else"));
    });
}

TEST_P(WithoutPidfd, AThreadThatCannotBeHadFailsTheStartAndKillsTheChild) {
    run_io([this]() -> coro<> {
        script.watch_error = EAGAIN;
        const auto r = co_await as_result(create_subprocess_exec({"sleep", "1000"}));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::resource_unavailable_try_again);
        EXPECT_TRUE(e && std::string(e->what()).find("cannot wait for process") != std::string::npos);
        int status = 0;
        EXPECT_GT(::waitpid(-1, &status, 0), 0);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    });
}

TEST_P(WithoutPidfd, AHundredAtOnceEndInAnyOrder) {
    run_io([]() -> coro<> {
        std::vector<process> all;
        for (int i = 0; i < 100; ++i) all.push_back(co_await create_subprocess_shell("exit " + std::to_string(i)));
        for (int i = 99; i >= 0; --i) EXPECT_EQ(co_await all[static_cast<std::size_t>(i)].wait(), i);
        EXPECT_FALSE(has_children());
    });
}

TEST(WithoutPidfds, ASandboxThatRefusesThemGetsAChildWithoutOne) {
    // In a child of its own: the filter is for good.
    EXPECT_EQ(test::in_child([] {
                  if (!testing_support::deny_flag(SYS_clone, CLONE_PIDFD, EINVAL)) return false;
                  const std::unique_ptr<detail::backend> real = detail::make_backend(backend_kind::epoll);
                  detail::os& os = real->os();
                  detail::spawned_process child;
                  detail::spawn_request request;
                  request.argv = {"sleep", "1000"};
                  if (os.spawn(request, child) < 0 || child.pidfd != -1) return false;
                  int status = 0;
                  if (os.reap(child, status) != 0 || os.send_signal(child, SIGKILL) < 0) return false;
                  while (os.reap(child, status) == 0) {}
                  return status == -SIGKILL && os.send_signal(child, 0) == -ESRCH;
              }),
              0);
}

} // namespace
} // namespace rondo
