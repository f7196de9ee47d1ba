// What a child is given beside its streams: executable, process_group, umask, user and groups, limit, none of all.
#include "io/io_test.hpp"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace rondo {
namespace {

using namespace std::chrono_literals;

/// Of the kernel: processes.
class SubprocessOptions : public test::io_test {};
RONDO_ON_EACH_BACKEND(SubprocessOptions);

/// The output of a shell command, without its last newline.
coro<std::string> output_of(std::string command, subprocess_options options = {}) {
    options.out = stdio::pipe;
    auto p = co_await create_subprocess_shell(std::move(command), std::move(options));
    std::string text = (co_await p.communicate()).out->str();
    EXPECT_EQ(p.returncode(), 0);
    if (text.ends_with('\n')) text.pop_back();
    co_return text;
}
template <class T> int error_number(const result<T>& r) {
    const auto* e = detail::exception_cast<std::system_error>(r.error());
    return e ? e->code().value() : 0;
}

TEST_P(SubprocessOptions, TheExecutableIsRunUnderTheNameOfArgv0) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_exec({"another name", "-c", "echo $0"},
                                                 {.out = stdio::pipe, .executable = "/bin/sh"});
        EXPECT_EQ((co_await p.communicate()).out->str(), "another name\n");
        auto searched = co_await create_subprocess_exec({"x", "-c", "exit 3"}, {.executable = "sh"}); // in PATH
        EXPECT_EQ(co_await searched.wait(), 3);
        const auto none = co_await as_result(create_subprocess_exec({"/bin/true"}, {.executable = "/no/such/program"}));
        EXPECT_EQ(error_number(none), ENOENT);
        EXPECT_TRUE(
            (co_await as_result(create_subprocess_exec({"/bin/true"}, {.executable = ""}))).holds<value_error>());
    });
}

TEST_P(SubprocessOptions, TheExecutableOfACommandIsItsShell) {
    run_io([this]() -> coro<> {
        EXPECT_EQ(co_await output_of("echo $0", {.executable = "/bin/bash"}), "/bin/bash");
        EXPECT_EQ(co_await output_of("echo $0"), "/bin/sh");
        struct : subprocess_protocol {
            void pipe_data_received(int, std::span<const std::byte> data) override { said += bytes_view(data).view(); }
            void connection_lost(std::exception_ptr) override { over.set(); }
            std::string said;
            event over;
        } watching;
        const auto factory = [&] { return std::shared_ptr<subprocess_protocol>(std::shared_ptr<void>(), &watching); };
        co_await loop().subprocess_shell(factory, "echo $0", {.out = stdio::pipe, .executable = "/bin/bash"});
        co_await watching.over.wait();
        EXPECT_EQ(watching.said, "/bin/bash\n");
    });
}

TEST_P(SubprocessOptions, MayLeadAProcessGroupOrJoinOne) {
    run_io([]() -> coro<> {
        auto leader = co_await create_subprocess_exec({"sleep", "1000"}, {.process_group = 0});
        EXPECT_EQ(::getpgid(leader.pid()), leader.pid());
        auto member = co_await create_subprocess_exec({"sleep", "1000"}, {.process_group = leader.pid()});
        EXPECT_EQ(::getpgid(member.pid()), leader.pid());
        auto other = co_await create_subprocess_exec({"sleep", "1000"});
        EXPECT_EQ(::getpgid(other.pid()), ::getpgrp());
        EXPECT_EQ(::kill(-leader.pid(), SIGTERM), 0);
        EXPECT_EQ(co_await leader.wait(), -SIGTERM);
        EXPECT_EQ(co_await member.wait(), -SIGTERM);
        EXPECT_FALSE(other.returncode());
        other.kill();
        EXPECT_EQ(co_await other.wait(), -SIGKILL);
        const auto both =
            co_await as_result(create_subprocess_exec({"/bin/true"}, {.start_new_session = true, .process_group = 0}));
        EXPECT_EQ(error_number(both), EPERM); // the leader of a session has its group (setpgid(2))
    });
}

TEST_P(SubprocessOptions, HasTheUmaskItIsGiven) {
    run_io([]() -> coro<> {
        const ::mode_t ours = ::umask(022);
        EXPECT_EQ(co_await output_of("umask", {.umask = 077}), "0077");
        EXPECT_EQ(co_await output_of("umask", {.umask = 0}), "0000");
        EXPECT_EQ(co_await output_of("umask"), "0022");
        EXPECT_EQ(::umask(ours), 022u);
    });
}

TEST_P(SubprocessOptions, RunsAsAnotherUserWithOtherGroups) {
    run_io([]() -> coro<> {
        const int dumpable = ::prctl(PR_GET_DUMPABLE);
        if (::getuid() != 0) { // one may always be who one is
            const subprocess_options same{.user = ::getuid(), .group = ::getgid()};
            EXPECT_EQ(co_await output_of("id -u", same), std::to_string(::getuid()));
            const auto other = co_await as_result(create_subprocess_exec({"/bin/true"}, {.user = 0}));
            EXPECT_EQ(error_number(other), EPERM);
            co_return;
        }
        const subprocess_options other{
            .user = 12345, .group = 23456, .extra_groups = std::vector<std::uint32_t>{34567, 45678}};
        EXPECT_EQ(co_await output_of("id -u; id -g; id -G", other), "12345\n23456\n23456 34567 45678");
        EXPECT_EQ(co_await output_of("id -G", {.group = 0, .extra_groups = std::vector<std::uint32_t>()}), "0");
        EXPECT_EQ(co_await output_of("id -u; id -ru; id -g; id -rg", {.user = 12345, .group = 23456}),
                  "12345\n12345\n23456\n23456"); // the real ones too
        EXPECT_EQ(::getuid(), 0u);
        EXPECT_EQ(::getgid(), 0u);
        EXPECT_EQ(::prctl(PR_GET_DUMPABLE), dumpable); // nor have we changed otherwise: rondo ps may still look at us
        const auto missing = co_await as_result(create_subprocess_exec({"/no/such/program"}, {.user = 12345}));
        EXPECT_EQ(error_number(missing), ENOENT);
    });
}

TEST_P(SubprocessOptions, ItsReadersHaveTheLimit) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_shell("echo 0123456789; echo abc",
                                                  {.out = stdio::pipe, .err = stdio::pipe, .limit = 5});
        EXPECT_TRUE((co_await as_result(p.out->read_line())).holds<value_error>());
        EXPECT_EQ((co_await p.out->read_line())->view(), "abc\n");
        EXPECT_EQ(co_await p.wait(), 0);
        EXPECT_TRUE((co_await as_result(create_subprocess_exec({"/bin/true"}, {.limit = 0}))).holds<value_error>());
    });
}

TEST_P(SubprocessOptions, WithoutPipesItHasNoStreamsAndItsOutputIsOurs) {
    run_io([]() -> coro<> {
        auto p = co_await create_subprocess_exec({"/bin/true"});
        EXPECT_FALSE(p.in || p.out || p.err);
        const process_output output = co_await p.communicate(bytes("nobody reads this"));
        EXPECT_FALSE(output.out || output.err);
        EXPECT_EQ(p.returncode(), 0);
    });
}

} // namespace
} // namespace rondo
