// The processes of a simulated world: programs, pipes, ends, signals.
#include <rondo/sim/program.hpp>

#include <rondo/io/errors.hpp>
#include <rondo/io/subprocess.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/run.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/sync/event.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/timeout.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::sim::fault_classes;
using rondo::sim::invocation;

constexpr rondo::stdio piped = rondo::stdio::pipe;

coro<int> cat(invocation me) {
    while (auto line = co_await me.in->read_line()) co_await me.out->write(*line);
    co_await me.out->aclose();
    co_return 0;
}
rondo::detail::spawn_request request_for(std::string name) {
    rondo::detail::spawn_request request;
    request.argv = {std::move(name)};
    return request;
}
coro<int> sleeper(invocation) {
    co_await rondo::sleep(1h);
    co_return 0;
}
coro<int> failing(invocation me) {
    if (me.argv.size() > 1) throw std::runtime_error("nobody catches this");
    co_return 7;
}

void add_programs() {
    rondo::sim::world().add_program("/bin/cat", cat);
    rondo::sim::world().add_program("/bin/sleep", sleeper);
    rondo::sim::world().add_program("/bin/false", failing);
}

RONDO_SIM_TEST(SimulatedProcess, TalksToItsParentThroughPipes, {.schedules = 300}) {
    add_programs();
    auto child = co_await rondo::create_subprocess_exec({"cat"}, {.in = piped, .out = piped});
    const auto output = co_await child.communicate(rondo::bytes("one\ntwo\n"));
    EXPECT_EQ(output.out->view(), "one\ntwo\n");
    EXPECT_EQ(child.returncode(), 0);
}

RONDO_SIM_TEST(SimulatedProcess, IsToldItsArgumentsItsEnvironmentAndItsPlace, {.schedules = 50}) {
    rondo::sim::world().add_program("/bin/show", [](invocation me) -> coro<int> {
        EXPECT_FALSE(me.in);
        EXPECT_FALSE(me.err);
        const std::string all = me.argv.at(1) + " " + me.env.at("LANG") + " " + me.directory;
        co_await me.out->write(all);
        co_await me.out->aclose();
        co_return me.pid > 0 ? 0 : 1;
    });
    auto child = co_await rondo::create_subprocess_exec({"/bin/show", "this"},
                                                        {.out = piped, .env = {{{"LANG", "C"}}}, .cwd = "/tmp"});
    EXPECT_EQ((co_await child.communicate()).out->view(), "this C /tmp");
    EXPECT_EQ(child.returncode(), 0);
}

RONDO_SIM_TEST(SimulatedProcess, EndsWithItsStatusOrItsSignal, {.schedules = 200}) {
    add_programs();
    auto seven = co_await rondo::create_subprocess_exec({"false"});
    EXPECT_EQ(co_await seven.wait(), 7);
    auto aborted = co_await rondo::create_subprocess_exec({"false", "throw"});
    EXPECT_EQ(co_await aborted.wait(), -SIGABRT);
    auto killed = co_await rondo::create_subprocess_exec({"sleep"});
    killed.send_signal(SIGCHLD); // which is ignored
    killed.kill();
    EXPECT_EQ(co_await killed.wait(), -SIGKILL);
    EXPECT_THROW(killed.kill(), rondo::process_lookup_error);
}

RONDO_SIM_TEST(SimulatedProcess, ThatIsNotThereCannotBeStarted, {.schedules = 20}) {
    add_programs();
    int error = 0;
    try {
        auto child = co_await rondo::create_subprocess_exec({"/usr/bin/cat"});
    } catch (const std::system_error& e) {
        error = e.code().value();
    }
    EXPECT_EQ(error, ENOENT);
}

RONDO_SIM_TEST(SimulatedProcess, ThatNobodyHoldsIsKilledAndReaped, {.schedules = 200}) {
    add_programs();
    auto child = co_await rondo::create_subprocess_exec({"sleep"}, {.in = piped, .out = piped});
}

RONDO_SIM_TEST(SimulatedProcess, MayDieAtAnyMomentAndItsParentGoesOn,
               {.schedules = 1000, .faults = fault_classes::all()}) {
    add_programs();
    try {
        auto child = co_await rondo::create_subprocess_exec(
            {"cat"}, {.in = piped, .out = piped, .err = rondo::stdio::to_stdout});
        const auto output = co_await rondo::timeout(1min, child.communicate(rondo::bytes("one\n")));
        EXPECT_THAT(*child.returncode(), testing::AnyOf(0, -SIGKILL, -SIGABRT));
        if (child.returncode() == 0) EXPECT_EQ(output.out->view(), "one\n");
    } catch (const std::system_error&) { // it could not be started
    }
}

TEST(SimulatedProcess, ItsEndIsHeardOfWithADescriptorAndWithout) {
    std::set<bool> with;
    const auto result = rondo::sim::explore({.schedules = 100}, [&]() -> coro<> {
        add_programs();
        auto& system = rondo::detail::loop_access::backend(rondo::running_loop()).os();
        rondo::detail::spawned_process child;
        EXPECT_EQ(system.spawn(request_for("false"), child), 0);
        with.insert(child.pidfd >= 0);
        rondo::event ended;
        if (child.pidfd < 0) EXPECT_EQ(system.watch_exit(child, [&] { ended.set(); }), 0);
        int status = 0;
        for (int reaped = 0; reaped == 0;) {
            co_await rondo::sleep(100ms);
            reaped = system.reap(child, status);
        }
        EXPECT_EQ(status, 7);
        EXPECT_EQ(system.reap(child, status), -ECHILD);
        if (child.pidfd >= 0) system.close(child.pidfd);
        else EXPECT_TRUE(ended.is_set());
    });
    EXPECT_FALSE(result.counter_example) << result.counter_example->str();
    EXPECT_EQ(with.size(), 2U);
}

TEST(SimulatedProcess, ThatNobodyReapsIsALeak) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        add_programs();
        rondo::detail::spawned_process child;
        rondo::detail::loop_access::backend(rondo::running_loop()).os().spawn(request_for("false"), child);
        co_await rondo::sleep(1s);
    });
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, rondo::sim::failure_kind::leak);
    EXPECT_THAT(outcome.failure->message, testing::HasSubstr("which nobody has reaped"));
}

} // namespace
