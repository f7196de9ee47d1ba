// Subprocesses: real ones.
#include "io/io_test.hpp"

#include <sys/wait.h>

#include <csignal>

namespace rondo {
namespace {

using test::pass_by;
using test::pattern;

class Subprocess : public test::io_test {};
RONDO_ON_EACH_BACKEND(Subprocess);

bool exists(int pid) { return ::kill(pid, 0) == 0; }

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

TEST_P(Subprocess, OneThatCannotBeStartedIsNamed) {
    run_io([]() -> coro<> {
        auto r = co_await as_result(create_subprocess_exec({"/no/such/program"}));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::no_such_file_or_directory);
        EXPECT_TRUE(e && std::string(e->what()).find("/no/such/program") != std::string::npos);
        EXPECT_TRUE((co_await as_result(create_subprocess_exec({}))).holds<value_error>());
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

TEST_P(Subprocess, ThreeHundredAtOnce) {
    run_io([]() -> coro<> {
        std::vector<coro<>> all;
        for (int i = 0; i < 300; ++i) {
            all.push_back([](int number) -> coro<> {
                auto p = co_await create_subprocess_shell("read x; exit $x", {.in = stdio::pipe});
                co_await p.in->write(std::to_string(number % 200) + "\n");
                EXPECT_EQ(co_await p.wait(), number % 200);
            }(i));
        }
        co_await gather(std::move(all));
    });
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

} // namespace
} // namespace rondo
