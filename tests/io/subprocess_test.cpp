// Subprocesses: real ones.
#include "io/io_test.hpp"

#include "support/forwarding_backend.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <semaphore>

namespace rondo {
namespace {

using test::pass_by;
using test::pattern;

/// Of the kernel: processes.
class Subprocess : public test::io_test {};
RONDO_ON_EACH_BACKEND(Subprocess);

bool exists(int pid) { return ::kill(pid, 0) == 0; }
bool has_children() {
    ::siginfo_t any{};
    return ::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

TEST_P(Subprocess, HasAReturnCode) {
    run_io([]() -> coro<> {
        auto yes = co_await create_subprocess_exec({"/bin/true"});
        EXPECT_GT(yes.pid(), 0);
        EXPECT_EQ(co_await yes.wait(), 0);
        EXPECT_EQ(yes.returncode(), 0);
        auto seven = co_await create_subprocess_shell("exit 7");
        EXPECT_EQ(co_await seven.wait(), 7);
        auto killed = co_await create_subprocess_shell("kill -TERM $$");
        EXPECT_EQ(co_await killed.wait(), -SIGTERM);
    });
}

TEST_P(Subprocess, CommunicatesBothWaysWithoutDeadlock) {
    run_io([]() -> coro<> {
        const std::string data = pattern(5'000'000);
        auto cat = co_await create_subprocess_shell("tee /dev/stderr",
                                                    {.in = stdio::pipe, .out = stdio::pipe, .err = stdio::pipe});
        const process_output output = co_await cat.communicate(bytes(bytes_view(data)));
        EXPECT_TRUE(output.out && *output.out == data);
        EXPECT_TRUE(output.err && *output.err == data);
        EXPECT_EQ(cat.returncode(), 0);
    });
}

TEST_P(Subprocess, AChildThatDoesNotReadItsInputIsNoError) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_shell("echo done", {.in = stdio::pipe, .out = stdio::pipe});
        const process_output output = co_await p.communicate(bytes(1'000'000, 'x'));
        EXPECT_TRUE(output.out && *output.out == "done\n");
        EXPECT_FALSE(output.err.has_value()); // not a pipe
    });
}

TEST_P(Subprocess, ItsPipesAreStreams) {
    run_io([]() -> coro<> {
        auto cat = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe, .out = stdio::pipe});
        for (int i = 0; i < 10; ++i) {
            const std::string line = "line " + std::to_string(i) + "\n";
            co_await cat.in->write(line);
            EXPECT_EQ((co_await cat.out->read_line())->view(), line);
        }
        cat.in->write_eof();
        EXPECT_TRUE((co_await cat.out->read_all()).empty());
        EXPECT_EQ(co_await cat.wait(), 0);
    });
}

TEST_P(Subprocess, RedirectsItsStreams) {
    run_io([]() -> coro<> {
        auto together =
            co_await create_subprocess_shell("echo out; echo err >&2", {.out = stdio::pipe, .err = stdio::to_stdout});
        EXPECT_EQ(*(co_await together.communicate()).out, "out\nerr\n");
        auto nothing = co_await create_subprocess_shell("cat; echo x", {.in = stdio::devnull, .out = stdio::devnull});
        EXPECT_EQ(co_await nothing.wait(), 0);
        EXPECT_TRUE(
            (co_await as_result(create_subprocess_exec({"true"}, {.out = stdio::to_stdout}))).holds<value_error>());
    });
}

TEST_P(Subprocess, HasItsOwnEnvironmentAndDirectory) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_exec({"/bin/sh", "-c", "echo $NAME; pwd"},
                                                 {.out = stdio::pipe, .env = {{{"NAME", "value"}}}, .cwd = "/"});
        EXPECT_EQ(*(co_await p.communicate()).out, "value\n/\n");
    });
}

TEST_P(Subprocess, OtherwiseItHasOurEnvironment) {
    ::setenv("RONDO_TEST_VARIABLE", "of the parent", 1);
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_shell("echo $RONDO_TEST_VARIABLE", {.out = stdio::pipe});
        EXPECT_EQ(*(co_await p.communicate()).out, "of the parent\n");
    });
    ::unsetenv("RONDO_TEST_VARIABLE");
}

TEST_P(Subprocess, GetsTheDescriptorsThatItIsGiven) {
    run_io([]() -> coro<> {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        auto p = co_await create_subprocess_shell("echo out; echo passed >&" + std::to_string(ends[1]),
                                                  {.out = redirect(ends[1]), .pass_fds = {ends[1]}});
        ::close(ends[1]);
        EXPECT_EQ(co_await p.wait(), 0);
        std::array<char, 64> got{};
        const long n = ::read(ends[0], got.data(), got.size());
        EXPECT_EQ(std::string_view(got.data(), n > 0 ? static_cast<std::size_t>(n) : 0), "out\npassed\n");
        ::close(ends[0]);
    });
}

TEST_P(Subprocess, MayHaveASessionOfItsOwn) {
    run_io([]() -> coro<> {
        const char* const session = "cut -d ' ' -f 6 /proc/$$/stat";
        auto ours = co_await create_subprocess_shell(session, {.out = stdio::pipe});
        EXPECT_EQ(*(co_await ours.communicate()).out, std::to_string(::getsid(0)) + "\n");
        auto own = co_await create_subprocess_shell(session, {.out = stdio::pipe, .start_new_session = true});
        EXPECT_EQ(*(co_await own.communicate()).out, std::to_string(own.pid()) + "\n");
    });
}

TEST_P(Subprocess, OneThatCannotBeStartedIsNamed) {
    run_io([]() -> coro<> {
        auto r = co_await as_result(create_subprocess_exec({"/no/such/program"}));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::no_such_file_or_directory);
        EXPECT_TRUE(e && std::string(e->what()).find("cannot start '/no/such/program'") == 0);
        auto elsewhere = co_await as_result(create_subprocess_exec({"/bin/true"}, {.cwd = "/no/such/place"}));
        const auto* f = detail::exception_cast<std::system_error>(elsewhere.error());
        EXPECT_TRUE(f && std::string(f->what()).find("cannot start '/bin/true' in '/no/such/place'") == 0);
        EXPECT_TRUE((co_await as_result(create_subprocess_exec({}))).holds<value_error>());
    });
    EXPECT_FALSE(has_children());
}

TEST_P(Subprocess, WhatItSaidCanBeReadAfterItsEnd) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_shell("echo out; echo err >&2", {.out = stdio::pipe, .err = stdio::pipe});
        EXPECT_EQ(co_await p.wait(), 0);
        EXPECT_EQ(co_await p.out->read_all(), "out\n");
        EXPECT_EQ(co_await p.err->read_all(), "err\n");
    });
}

TEST_P(Subprocess, IsOverWhenItsPipesAreDisconnectedToo) {
    run_io([]() -> coro<> {
        // The process ends at once, and leaves a child that has the pipes.
        auto p =
            co_await create_subprocess_shell("exec 3<&0; cat <&3 & exit 3", {.in = stdio::pipe, .out = stdio::pipe});
        auto over = create_task([&]() -> coro<int> { co_return co_await p.wait(); });
        while (!p.returncode()) co_await yield();
        co_await pass_by(70);
        EXPECT_FALSE(over.done());
        EXPECT_EQ(over.record().blocked_on->describe(), "waiting until the 2 open pipes of process " +
                                                            std::to_string(p.pid()) +
                                                            ", which has ended, are disconnected");
        co_await p.in->write("still there");
        p.in->close();
        EXPECT_EQ(co_await over, 3);
        EXPECT_EQ(co_await p.out->read_all(), "still there");
    });
}

TEST_P(Subprocess, CommunicateThatIsCancelledLosesNothing) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_shell("echo first; read x; echo second",
                                                  {.in = stdio::pipe, .out = stdio::pipe});
        stream_writer kept = std::move(*p.in);
        p.in.reset();
        auto t = create_task([&]() -> coro<process_output> { co_return co_await p.communicate(); });
        co_await pass_by(70);
        t.cancel();
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
        co_await kept.write("\n");
        EXPECT_EQ(*(co_await p.communicate()).out, "first\nsecond\n");
        kept.close();
    });
}

TEST_P(Subprocess, ManyTasksMayWait) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe});
        std::vector<task<int>> waits;
        for (int i = 0; i < 3; ++i) waits.push_back(create_task([&]() -> coro<int> { co_return co_await p.wait(); }));
        co_await pass_by(5);
        waits[0].cancel(); // leaves the process alone
        EXPECT_TRUE((co_await as_result(waits[0])).cancelled());
        EXPECT_FALSE(p.returncode().has_value());
        p.in->close();
        EXPECT_EQ(co_await waits[1], 0);
        EXPECT_EQ(co_await waits[2], 0);
        EXPECT_EQ(co_await p.wait(), 0);
    });
}

TEST_P(Subprocess, TakesSignalsUntilItHasEnded) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe});
        p.terminate();
        EXPECT_EQ(co_await p.wait(), -SIGTERM);
        auto other = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe});
        other.send_signal(SIGUSR1);
        EXPECT_EQ(co_await other.wait(), -SIGUSR1);
        EXPECT_THROW(p.kill(), process_lookup_error);
        EXPECT_THROW(p.send_signal(SIGINT), process_lookup_error);
    });
}

TEST_P(Subprocess, DestroyedWhileItRunsItIsKilledAndReaped) {
    run_io([]() -> coro<> {
        int pid = 0;
        {
            auto p = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe});
            pid = p.pid();
            EXPECT_TRUE(exists(pid));
        }
        while (exists(pid)) co_await yield(); // a zombie exists
    });
}

TEST_P(Subprocess, AStatusThatSomebodyElseTookIs255AndReported) {
    run_io([this]() -> coro<> {
        auto p = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe});
        const int pid = p.pid();
        p.kill();
        int status = 0;
        EXPECT_EQ(::waitpid(pid, &status, 0), pid);
        EXPECT_EQ(co_await p.wait(), 255);
        while (reports.count() == 0) co_await yield();
        EXPECT_TRUE(reports.take()[0].mentions("taken by somebody else"));
    });
}

TEST_P(Subprocess, AThousandAtOnce) {
    run_io([]() -> coro<> {
        std::vector<coro<>> all;
        for (int i = 0; i < 1000; ++i) {
            all.push_back([](int number) -> coro<> {
                auto p = co_await create_subprocess_shell("read x; exit $x", {.in = stdio::pipe});
                co_await p.in->write(std::to_string(number % 200) + "\n");
                EXPECT_EQ(co_await p.wait(), number % 200);
            }(i));
        }
        co_await gather(std::move(all));
    });
    EXPECT_FALSE(has_children());
}

TEST_P(Subprocess, OneThatOutlivesItsLoopIsKilledWithIt) {
    std::optional<process> left;
    run_io([&]() -> coro<> { left = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe}); });
    const int pid = left->pid();
    end_loop();
    EXPECT_FALSE(exists(pid));
    EXPECT_EQ(left->returncode(), -SIGKILL);
    EXPECT_THROW(left->kill(), process_lookup_error);
}

/// Starting a process takes until the test allows it to go on.
class slow_starts final : public test::forwarding_backend {
public:
    struct gate {
        std::atomic<int> begun{0};
        std::counting_semaphore<> may_end{0};
        std::atomic<int> pid{0};
    };
    slow_starts(std::unique_ptr<detail::backend> real, gate& g)
        : forwarding_backend(std::move(real)), os_(forwarding_backend::os(), g) {}
    detail::os& os() noexcept override { return os_; }

private:
    class slow_os final : public test::forwarding_os {
    public:
        slow_os(detail::os& real, gate& g) noexcept : forwarding_os(real), gate_(g) {}
        int spawn(const detail::spawn_request& request, detail::spawned_process& child) noexcept override {
            const int result = forwarding_os::spawn(request, child);
            gate_.pid = child.pid;
            ++gate_.begun;
            gate_.may_end.acquire();
            return result;
        }

    private:
        gate& gate_;
    };
    slow_os os_;
};

class SubprocessStart : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<slow_starts>(kind, gate);
    }
    coro<> until_begun(int starts) {
        while (gate.begun < starts) co_await yield();
    }
    slow_starts::gate gate;
};
RONDO_ON_EACH_BACKEND(SubprocessStart);

TEST_P(SubprocessStart, DoesNotHoldUpTheLoop) {
    run_io([this]() -> coro<> {
        auto t = create_task(create_subprocess_exec({"/bin/true"}));
        co_await until_begun(1);
        co_await pass_by(100);
        EXPECT_FALSE(t.done());
        EXPECT_EQ(t.record().blocked_on->describe(), "starting '/bin/true'");
        gate.may_end.release();
        auto p = co_await std::move(t);
        EXPECT_EQ(co_await p.wait(), 0);
    });
}

TEST_P(SubprocessStart, CancelledTheProcessIsKilledAndReapedFirst) {
    run_io([this]() -> coro<> {
        auto t = create_task(create_subprocess_exec({"cat"}, {.in = stdio::pipe}));
        co_await until_begun(1);
        EXPECT_TRUE(exists(gate.pid));
        t.cancel();
        co_await pass_by(100);
        EXPECT_FALSE(t.done()); // its descriptors may still be in use
        gate.may_end.release();
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
        EXPECT_FALSE(exists(gate.pid));
    });
}

TEST_P(SubprocessStart, CancelledBeforeItsTurnNothingIsStarted) {
    run_io([this]() -> coro<> {
        auto first = create_task(create_subprocess_exec({"/bin/true"}));
        co_await until_begun(1);
        auto second = create_task(create_subprocess_exec({"/bin/true"}));
        co_await pass_by(10);
        second.cancel();
        gate.may_end.release();
        EXPECT_TRUE((co_await as_result(std::move(second))).cancelled());
        EXPECT_EQ(gate.begun, 1);
        auto p = co_await std::move(first);
        EXPECT_EQ(co_await p.wait(), 0);
    });
}

TEST_P(SubprocessStart, CancelledAtAnyMomentLeavesNoProcess) {
    gate.may_end.release(100);
    run_io([]() -> coro<> {
        for (int passes = 0; passes < 100; ++passes) {
            auto t = create_task([]() -> coro<> {
                auto p = co_await create_subprocess_exec({"cat"}, {.in = stdio::pipe, .out = stdio::pipe});
                co_await p.wait();
            });
            co_await pass_by(passes % 25);
            t.cancel();
            EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
            while (has_children()) co_await yield(); // one that had been handed over is reaped by the loop
        }
    });
}

TEST_P(SubprocessStart, IsOverBeforeItsLoopIs) {
    std::optional<task<process>> left;
    run_io([&]() -> coro<> {
        left = create_task(create_subprocess_exec({"cat"}, {.in = stdio::pipe}));
        co_await until_begun(1);
    });
    gate.may_end.release();
    end_loop();
    EXPECT_TRUE(left->cancelled());
    EXPECT_FALSE(exists(gate.pid));
}

} // namespace
} // namespace rondo
