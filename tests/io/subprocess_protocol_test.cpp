// Subprocesses with a protocol: subprocess_exec and subprocess_shell.
#include "io/protocol_kit.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>

namespace rondo {
namespace {

using test::calls;
using test::pass_by;
using test::pattern;

bool exists(int pid) { return ::kill(pid, 0) == 0; }
bool has_children() {
    ::siginfo_t any{};
    return ::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/// Writes down every call; data in a row from one pipe is one "data n".
class child_recorder : public subprocess_protocol {
public:
    void connection_made(subprocess_transport& t) override {
        to = &t;
        note("made");
        if (on_made) on_made();
    }
    void pipe_data_received(int fd, std::span<const std::byte> bytes) override {
        const std::string what = "data " + std::to_string(fd);
        if (calls.empty() || calls.back() != what) note(what);
        EXPECT_FALSE(bytes.empty());
        data[static_cast<std::size_t>(fd)] += test::text_of(bytes);
        news.set();
        if (on_data) on_data();
    }
    void pipe_connection_lost(int fd, std::exception_ptr e) override {
        note("lost " + std::to_string(fd));
        pipe_errors[static_cast<std::size_t>(fd)] = e;
        if (on_pipe_lost) on_pipe_lost();
    }
    void process_exited() override {
        EXPECT_TRUE(to->get_returncode().has_value());
        note("exited");
        exited.set();
        if (on_exited) on_exited();
    }
    void pause_writing() override { note("pause"); }
    void resume_writing() override { note("resume"); }
    void connection_lost(std::exception_ptr e) override {
        EXPECT_TRUE(to->is_closing());
        note("lost");
        error = e;
        returncode = to->get_returncode();
        to = nullptr;
        over.set();
        if (on_lost) on_lost();
    }

    void note(std::string what) { calls.push_back(std::move(what)); }
    std::size_t place_of(const std::string& what) const {
        const auto found = std::find(calls.begin(), calls.end(), what);
        return static_cast<std::size_t>(found - calls.begin());
    }
    long count(const std::string& what) const { return std::count(calls.begin(), calls.end(), what); }
    coro<> has(int fd, std::size_t n) {
        while (data[static_cast<std::size_t>(fd)].size() < n) {
            news.clear();
            co_await news.wait();
        }
    }

    std::vector<std::string> calls;
    std::array<std::string, 3> data;
    std::array<std::exception_ptr, 3> pipe_errors;
    subprocess_transport* to = nullptr;
    std::exception_ptr error;
    std::optional<int> returncode;
    event news, exited, over;
    std::function<void()> on_made, on_data, on_pipe_lost, on_exited, on_lost;
};

auto recorders() {
    return [] { return std::make_shared<child_recorder>(); };
}

/// close() at the end of a block.
struct closing {
    subprocess_transport& transport;
    ~closing() { transport.close(); }
};

const subprocess_options all_pipes{.in = stdio::pipe, .out = stdio::pipe, .err = stdio::pipe};

/// Of the kernel: processes.
class SubprocessProtocol : public test::io_test {
protected:
    void TearDown() override {
        io_test::TearDown();
        EXPECT_FALSE(has_children());
    }
};
RONDO_ON_EACH_BACKEND(SubprocessProtocol);

TEST_P(SubprocessProtocol, EachPipeTellsItsDataBeforeItsLossAndTheConnectionIsLostLast) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_shell(recorders(), "echo out; echo err >&2; exit 7",
                                                       {.out = stdio::pipe, .err = stdio::pipe});
        EXPECT_EQ(p->calls.front(), "made");
        EXPECT_EQ(p->to, t.get());
        EXPECT_GT(t->get_pid(), 0);
        co_await p->over.wait();
        EXPECT_EQ(p->data[1], "out\n");
        EXPECT_EQ(p->data[2], "err\n");
        EXPECT_LT(p->place_of("data 1"), p->place_of("lost 1"));
        EXPECT_LT(p->place_of("data 2"), p->place_of("lost 2"));
        for (const char* once : {"made", "lost 1", "lost 2", "exited", "lost"}) EXPECT_EQ(p->count(once), 1) << once;
        EXPECT_EQ(p->calls.back(), "lost");
        EXPECT_EQ(p->error, nullptr);
        EXPECT_EQ(p->pipe_errors[1], nullptr);
        EXPECT_EQ(p->returncode, 7);
        EXPECT_EQ(t->get_returncode(), 7);
        co_await pass_by(70);
        EXPECT_EQ(p->calls.back(), "lost");
    });
}

TEST_P(SubprocessProtocol, ExecGivesTheProgramItsArgumentsAsTheyAre) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_exec(recorders(), {"/bin/echo", "a b", "$c"}, {.out = stdio::pipe});
        co_await p->over.wait();
        EXPECT_EQ(p->data[1], "a b $c\n");
        EXPECT_EQ(t->get_returncode(), 0);
    });
}

TEST_P(SubprocessProtocol, WithoutPipesThereIsItsEndAlone) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_exec(recorders(), {"/bin/true"});
        for (int fd : {-1, 0, 1, 2, 3}) EXPECT_EQ(t->get_pipe_transport(fd), nullptr);
        co_await p->over.wait();
        EXPECT_EQ(p->calls, (calls{"made", "exited", "lost"}));
    });
}

TEST_P(SubprocessProtocol, TheExitMayComeBeforeThePipesAreLost) {
    run_io([this]() -> coro<> {
        // The process ends at once, and leaves a child that has the pipes.
        auto [t, p] = co_await loop().subprocess_shell(recorders(), "exec 3<&0; cat <&3 & exit 3",
                                                       {.in = stdio::pipe, .out = stdio::pipe});
        co_await p->exited.wait();
        EXPECT_EQ(t->get_returncode(), 3);
        EXPECT_FALSE(t->is_closing());
        co_await pass_by(70);
        EXPECT_EQ(p->calls, (calls{"made", "exited"}));
        t->get_pipe_transport(0)->write("still there");
        t->get_pipe_transport(0)->write_eof();
        co_await p->over.wait();
        EXPECT_EQ(p->data[1], "still there");
        EXPECT_EQ(p->calls.back(), "lost");
    });
}

TEST_P(SubprocessProtocol, ThePipesMayBeLostBeforeTheExit) {
    run_io([this]() -> coro<> {
        int hold[2];
        EXPECT_EQ(::pipe(hold), 0);
        auto [t, p] = co_await loop().subprocess_shell(recorders(), "exec >&-; read x",
                                                       {.in = redirect(hold[0]), .out = stdio::pipe});
        while (p->count("lost 1") == 0) co_await yield();
        co_await pass_by(70);
        EXPECT_EQ(p->calls, (calls{"made", "lost 1"}));
        EXPECT_FALSE(t->get_returncode().has_value());
        ::close(hold[0]);
        EXPECT_EQ(::write(hold[1], "\n", 1), 1);
        co_await p->over.wait();
        EXPECT_EQ(p->calls, (calls{"made", "lost 1", "exited", "lost"}));
        ::close(hold[1]);
    });
}

TEST_P(SubprocessProtocol, ItsInputIsAPipeWithFlowControl) {
    run_io([this]() -> coro<> {
        const std::string sent = pattern(3'000'000);
        auto [t, p] = co_await loop().subprocess_exec(recorders(), {"cat"}, all_pipes);
        transport& in = *t->get_pipe_transport(0);
        in.write(sent);
        EXPECT_EQ(p->calls, (calls{"made", "pause"}));
        EXPECT_GT(in.get_write_buffer_size(), in.get_write_buffer_limits().second);
        in.write_eof();
        co_await p->over.wait();
        EXPECT_TRUE(p->data[1] == sent);
        EXPECT_EQ(p->count("pause"), 1);
        EXPECT_EQ(p->count("resume"), 1);
        EXPECT_LT(p->place_of("resume"), p->place_of("lost 0"));
        EXPECT_EQ(p->pipe_errors[0], nullptr);
    });
}

TEST_P(SubprocessProtocol, AChildThatDoesNotReadBreaksItsPipe) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_exec(recorders(), {"/bin/true"}, {.in = stdio::pipe});
        t->get_pipe_transport(0)->write(std::string(1'000'000, 'x'));
        co_await p->over.wait();
        EXPECT_TRUE(detail::exception_cast<broken_pipe_error>(p->pipe_errors[0]));
        EXPECT_EQ(p->error, nullptr);
        EXPECT_EQ(p->returncode, 0);
    });
}

TEST_P(SubprocessProtocol, ReadingIsPausedPerPipe) {
    run_io([this]() -> coro<> {
        auto made = std::make_shared<child_recorder>();
        made->on_made = [&] { made->to->get_pipe_transport(1)->pause_reading(); };
        auto [t, p] = co_await loop().subprocess_shell([made] { return made; }, "echo out; echo err >&2",
                                                       {.out = stdio::pipe, .err = stdio::pipe});
        co_await p->has(2, 4);
        co_await p->exited.wait();
        co_await pass_by(70);
        EXPECT_EQ(p->data[1], "");
        EXPECT_EQ(p->count("lost 1"), 0);
        EXPECT_FALSE(t->get_pipe_transport(1)->is_reading());
        t->get_pipe_transport(1)->resume_reading();
        co_await p->over.wait();
        EXPECT_EQ(p->data[1], "out\n");
    });
}

TEST_P(SubprocessProtocol, CloseKillsAChildThatRunsAndDropsItsInput) {
    run_io([this]() -> coro<> {
        // What has the pipe's reading end lives on, and reads nothing.
        auto [t, p] = co_await loop().subprocess_shell(recorders(), "exec 3<&0; sleep 100 <&3 & echo $!; wait",
                                                       {.in = stdio::pipe, .out = stdio::pipe});
        co_await p->has(1, 2);
        t->get_pipe_transport(0)->write(std::string(1'000'000, 'x'));
        t->close();
        EXPECT_TRUE(t->is_closing());
        t->close();
        co_await p->over.wait();
        EXPECT_EQ(p->returncode, -SIGKILL);
        EXPECT_EQ(p->error, nullptr);
        EXPECT_EQ(p->pipe_errors[0], nullptr);
        EXPECT_EQ(p->count("lost 0"), 1);
        EXPECT_EQ(p->count("lost 1"), 1);
        EXPECT_EQ(p->count("exited"), 1);
        EXPECT_EQ(p->count("lost"), 1);
        EXPECT_EQ(p->calls.back(), "lost");
        ::kill(std::atoi(p->data[1].c_str()), SIGKILL);
    });
}

TEST_P(SubprocessProtocol, AbortIsTheSame) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_exec(recorders(), {"cat"}, all_pipes);
        t->abort();
        co_await p->over.wait();
        EXPECT_EQ(p->returncode, -SIGKILL);
        EXPECT_EQ(p->calls.back(), "lost");
    });
}

TEST_P(SubprocessProtocol, CloseFromWithinACallbackEndsItToo) {
    run_io([this]() -> coro<> {
        auto made = std::make_shared<child_recorder>();
        made->on_made = [&] { made->to->close(); };
        auto [t, p] = co_await loop().subprocess_exec([made] { return made; }, {"cat"}, all_pipes);
        co_await p->over.wait();
        EXPECT_EQ(p->returncode, -SIGKILL);
        auto other = std::make_shared<child_recorder>();
        other->on_pipe_lost = [&] { other->to->close(); };
        auto [t2, p2] = co_await loop().subprocess_shell([other] { return other; }, "exec >&-; read x",
                                                         {.in = stdio::pipe, .out = stdio::pipe});
        co_await p2->over.wait();
        EXPECT_EQ(p2->returncode, -SIGKILL);
    });
}

TEST_P(SubprocessProtocol, TakesSignalsUntilItHasEnded) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_exec(recorders(), {"cat"}, {.in = stdio::pipe});
        t->terminate();
        co_await p->over.wait();
        EXPECT_EQ(p->returncode, -SIGTERM);
        EXPECT_THROW(t->kill(), process_lookup_error);
        EXPECT_THROW(t->terminate(), process_lookup_error);
        EXPECT_THROW(t->send_signal(SIGINT), process_lookup_error);
        auto [t2, p2] = co_await loop().subprocess_exec(recorders(), {"cat"}, {.in = stdio::pipe});
        t2->send_signal(SIGUSR1);
        co_await p2->over.wait();
        EXPECT_EQ(p2->returncode, -SIGUSR1);
        auto [t3, p3] = co_await loop().subprocess_exec(recorders(), {"cat"}, {.in = stdio::pipe});
        t3->kill();
        co_await p3->over.wait();
        EXPECT_EQ(p3->returncode, -SIGKILL);
    });
}

TEST_P(SubprocessProtocol, AStatusThatSomebodyElseTookIs255AndReported) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_exec(recorders(), {"cat"}, {.in = stdio::pipe});
        const int pid = t->get_pid();
        t->kill();
        int status = 0;
        EXPECT_EQ(::waitpid(pid, &status, 0), pid);
        co_await p->over.wait();
        EXPECT_EQ(p->returncode, 255);
        while (reports.count() == 0) co_await yield();
        EXPECT_TRUE(reports.take()[0].mentions("taken by somebody else"));
    });
}

TEST_P(SubprocessProtocol, AnErrorInACallbackIsReportedAndItGoesOn) {
    run_io([this]() -> coro<> {
        auto made = std::make_shared<child_recorder>();
        made->on_made = made->on_data = made->on_pipe_lost = made->on_exited =
            made->on_lost = [] { throw value_error("mine"); };
        auto [t, p] = co_await loop().subprocess_shell([made] { return made; }, "printf x", {.out = stdio::pipe});
        co_await p->over.wait();
        EXPECT_EQ(p->count("exited"), 1);
        std::vector<std::string> told;
        for (const test::report& each : reports.take()) told.push_back(each.message);
        EXPECT_EQ(told.size(), 5u);
        for (const char* name : {"connection_made()", "pipe_data_received()", "pipe_connection_lost()",
                                 "process_exited()", "connection_lost()"}) {
            EXPECT_EQ(std::count(told.begin(), told.end(), std::string("unhandled exception in ") + name), 1) << name;
        }
    });
}

TEST_P(SubprocessProtocol, AllCallbacksShareACopyOfTheContextItWasAskedForIn) {
    static context_var<int> var("var", 0);
    run_io([this]() -> coro<> {
        auto made = std::make_shared<child_recorder>();
        std::vector<int> seen;
        made->on_made = [&] {
            seen.push_back(var.get());
            var.assign(2);
        };
        made->on_data = made->on_pipe_lost = made->on_exited = made->on_lost = [&] { seen.push_back(var.get()); };
        var.assign(1);
        auto [t, p] = co_await loop().subprocess_shell([made] { return made; }, "printf x", {.out = stdio::pipe});
        co_await p->over.wait();
        EXPECT_EQ(seen, (std::vector<int>{1, 2, 2, 2, 2}));
        EXPECT_EQ(var.get(), 1);
    });
}

TEST_P(SubprocessProtocol, DroppingTheHandlesLeavesItAlone) {
    run_io([this]() -> coro<> {
        auto made = std::make_shared<child_recorder>();
        std::weak_ptr<child_recorder> watched = made;
        int hold[2];
        EXPECT_EQ(::pipe(hold), 0);
        {
            auto both = co_await loop().subprocess_shell([made] { return made; }, "cat; echo end",
                                                         {.in = redirect(hold[0]), .out = stdio::pipe});
        }
        co_await pass_by(70);
        EXPECT_EQ(made->calls, calls{"made"});
        ::close(hold[0]);
        ::close(hold[1]);
        co_await made->over.wait();
        EXPECT_EQ(made->data[1], "end\n");
        EXPECT_EQ(made->returncode, 0);
        made.reset();
        while (!watched.expired()) co_await yield();
    });
}

TEST_P(SubprocessProtocol, WhatItsFactoryThrowsIsThrownAndNothingIsStarted) {
    run_io([this]() -> coro<> {
        const auto thrower = []() -> std::shared_ptr<child_recorder> { throw value_error("no"); };
        EXPECT_TRUE((co_await as_result(loop().subprocess_exec(thrower, {"/bin/true"}))).holds<value_error>());
        const auto none = [] { return std::shared_ptr<child_recorder>(); };
        EXPECT_TRUE((co_await as_result(loop().subprocess_exec(none, {"/bin/true"}))).holds<runtime_error>());
        EXPECT_FALSE(has_children());
    });
}

TEST_P(SubprocessProtocol, OneThatCannotBeStartedIsNamedAndItsProtocolToldNothing) {
    run_io([this]() -> coro<> {
        auto made = std::make_shared<child_recorder>();
        auto r = co_await as_result(loop().subprocess_exec([made] { return made; }, {"/no/such/program"}, all_pipes));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && std::string(e->what()).find("cannot start '/no/such/program'") == 0);
        EXPECT_TRUE((co_await as_result(loop().subprocess_exec(recorders(), {}))).holds<value_error>());
        EXPECT_TRUE(made->calls.empty());
    });
}

TEST_P(SubprocessProtocol, IsAwaitedInItsOwnLoop) {
    event_loop other;
    run_io([&]() -> coro<> {
        EXPECT_TRUE((co_await as_result(other.subprocess_exec(recorders(), {"/bin/true"}))).holds<runtime_error>());
    });
    other.close();
}

TEST_P(SubprocessProtocol, KnowsWhatItIs) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().subprocess_exec(recorders(), {"cat"}, all_pipes);
        EXPECT_EQ(t->get_extra<extra::subprocess>(), t->get_pid());
        EXPECT_FALSE(t->get_extra<extra::peername>().has_value());
        EXPECT_EQ(t->fd(), -1);
        const transport& in = *t->get_pipe_transport(0);
        EXPECT_EQ(in.get_extra<extra::pipe>(), in.fd());
        EXPECT_FALSE(in.get_extra<extra::socket>().has_value());
        t->close();
        co_await p->over.wait();
        EXPECT_FALSE(in.get_extra<extra::pipe>().has_value());
    });
}

TEST_P(SubprocessProtocol, TwoHundredAtOnceEndInAnyOrder) {
    run_io([this]() -> coro<> {
        std::vector<coro<>> all;
        for (int i = 0; i < 200; ++i) {
            all.push_back([](event_loop& loop, int number) -> coro<> {
                auto [t, p] = co_await loop.subprocess_shell(recorders(), "read x; exit $x",
                                                             {.in = stdio::pipe, .out = stdio::pipe});
                t->get_pipe_transport(0)->write(std::to_string(number) + "\n");
                co_await p->over.wait();
                EXPECT_EQ(p->returncode, number);
                EXPECT_EQ(p->count("lost"), 1);
            }(loop(), i));
        }
        co_await gather(std::move(all));
    });
}

TEST_P(SubprocessProtocol, ThousandsOneAfterTheOtherLeaveNothing) {
    run_io([this]() -> coro<> {
        std::vector<int> numbers(2000);
        co_await map_concurrent(
            numbers,
            [this](int) -> coro<> {
                auto [t, p] = co_await loop().subprocess_exec(recorders(), {"/bin/true"}, {.out = stdio::pipe});
                co_await p->over.wait();
                EXPECT_EQ(p->returncode, 0);
            },
            8);
    });
    const int lowest_free = ::dup(0);
    EXPECT_LT(lowest_free, 100) << "descriptors are left open";
    ::close(lowest_free);
}

TEST_P(SubprocessProtocol, OneThatOutlivesItsLoopIsKilledWithItAndToldSo) {
    std::optional<endpoint<child_recorder, subprocess_transport>> left;
    run_io([&]() -> coro<> { left = co_await loop().subprocess_exec(recorders(), {"cat"}, all_pipes); });
    const int pid = left->transport->get_pid();
    end_loop();
    EXPECT_FALSE(exists(pid));
    EXPECT_EQ(left->protocol->returncode, -SIGKILL);
    EXPECT_EQ(left->protocol->count("lost"), 1);
    EXPECT_EQ(left->protocol->calls.back(), "lost");
    EXPECT_THROW(left->transport->kill(), process_lookup_error);
    left->transport->close();
}

TEST_P(SubprocessProtocol, CancelledAtAnyMomentLeavesNoProcess) {
    run_io([this]() -> coro<> {
        for (int passes = 0; passes < 60; ++passes) {
            auto made = std::make_shared<child_recorder>();
            auto t = create_task([&]() -> coro<> {
                auto both = co_await loop().subprocess_exec([made] { return made; }, {"cat"}, all_pipes);
                const closing at_the_end{*both.transport};
                co_await made->over.wait();
            });
            co_await pass_by(passes % 20);
            t.cancel();
            EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
            while (has_children()) co_await yield();
            if (!made->calls.empty()) co_await made->over.wait();
        }
    });
}

} // namespace
} // namespace rondo
