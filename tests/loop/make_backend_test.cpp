// Which backend a process gets, and what it is told when it cannot have one.
#include "loop/backend_fixture.hpp"
#include "support/seccomp.hpp"

#include <rondo/coro/exceptions.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>

#include <liburing.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace rondo::detail {
namespace {

using namespace testing_support;

/// RONDO_BACKEND for the duration of a test.
class environment {
public:
    explicit environment(const char* value) {
        if (const char* old = std::getenv("RONDO_BACKEND")) before_ = old;
        if (value) ::setenv("RONDO_BACKEND", value, 1);
        else ::unsetenv("RONDO_BACKEND");
    }
    ~environment() {
        if (before_) ::setenv("RONDO_BACKEND", before_->c_str(), 1);
        else ::unsetenv("RONDO_BACKEND");
    }

private:
    std::optional<std::string> before_;
};

TEST(MakeBackend, TheEnvironmentDecidesWhereTheProgramDoesNot) {
    {
        environment epoll("epoll");
        EXPECT_EQ(make_backend(backend_kind::automatic)->kind(), backend_kind::epoll);
    }
    if (uring_obstacle()) GTEST_SKIP() << uring_obstacle()->what();
    environment uring("uring");
    EXPECT_EQ(make_backend(backend_kind::automatic)->kind(), backend_kind::uring);
    EXPECT_EQ(make_backend(backend_kind::epoll)->kind(), backend_kind::epoll);
}

TEST(MakeBackend, EmptyIsUnset) {
    const backend_kind best = uring_obstacle() ? backend_kind::epoll : backend_kind::uring;
    environment empty("");
    EXPECT_EQ(make_backend(backend_kind::automatic)->kind(), best);
    environment unset(nullptr);
    EXPECT_EQ(make_backend(backend_kind::automatic)->kind(), best);
}

TEST(MakeBackend, AnUnknownNameIsNamed) {
    environment bad("kqueue");
    try {
        make_backend(backend_kind::automatic);
        FAIL() << "was accepted";
    } catch (const value_error& e) {
        EXPECT_STREQ(e.what(), "RONDO_BACKEND is 'kqueue': set it to 'epoll' or 'uring', or leave it unset");
    }
    EXPECT_EQ(make_backend(backend_kind::epoll)->kind(), backend_kind::epoll); // the program has decided
}

bool echoes(backend& io) {
    auto [a, b] = stream_pair();
    std::array<char, 4> buffer{};
    probe_operation recv;
    set_recv(recv, a.fd, buffer);
    if (io.submit(recv)) return false;
    write_all(b.fd, "abc");
    while (recv.pending()) io.wait(time_point::max());
    return recv.result == 3;
}

/// What a child process finds where these system calls give `error`: its exit status, and what it wrote on stderr.
std::pair<int, std::string> where_denied(int error, std::initializer_list<long> calls, bool (*check)(int error)) {
    std::array<int, 2> err{};
    EXPECT_EQ(::pipe(err.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(err[1], STDERR_FILENO);
        ::unsetenv("RONDO_BACKEND");
        if (!rondo::testing_support::deny_system_calls(calls, error)) ::_exit(3);
        ::_exit(check(error) ? 0 : 1);
    }
    ::close(err[1]);
    std::string text;
    std::array<char, 256> buffer{};
    for (ssize_t n = 0; (n = ::read(err[0], buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(n));
    ::close(err[0]);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 256 + status, text};
}

bool automatic_falls_back(int) {
    const auto io = make_backend(backend_kind::automatic);
    return io->kind() == backend_kind::epoll && echoes(*io);
}

bool probe_finds_it(int error) {
    const auto obstacle = probe_uring();
    return obstacle && (obstacle->code().value() == error || obstacle->code().value() == EOPNOTSUPP);
}

bool explicit_wish_fails(int error) {
    for (const char* by_environment : {"", "uring"}) {
        ::setenv("RONDO_BACKEND", by_environment, 1);
        try {
            make_backend(*by_environment ? backend_kind::automatic : backend_kind::uring);
            return false;
        } catch (const std::system_error& e) {
            const std::string text = e.what();
            if (e.code() != std::error_code(error, std::system_category())) return false;
            if (text !=
                "the uring backend was asked for (epoll would do): io_uring cannot be set up: " + e.code().message()) {
                std::cerr << text << '\n';
                return false;
            }
        }
    }
    return true;
}

class WithoutUring : public testing::TestWithParam<int> {};

TEST_P(WithoutUring, AutomaticFallsBackWithoutAWord) {
    EXPECT_EQ(where_denied(GetParam(), {SYS_io_uring_setup}, automatic_falls_back), (std::pair{0, std::string()}));
}

TEST_P(WithoutUring, TheProbeFindsEachCallThatIsDenied) {
    for (const long call : {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register})
        EXPECT_EQ(where_denied(GetParam(), {call}, probe_finds_it), (std::pair{0, std::string()})) << call;
}

TEST_P(WithoutUring, AnExplicitWishIsAnErrorThatSaysWhy) {
    if (uring_obstacle()) GTEST_SKIP() << "here it is an error for another reason: " << uring_obstacle()->what();
    EXPECT_EQ(where_denied(GetParam(), {SYS_io_uring_setup}, explicit_wish_fails), (std::pair{0, std::string()}));
}

/// What a kernel that has all operations up to `last`, but for `lacks`, says of itself.
class told_operations {
public:
    static constexpr int count = IORING_OP_LAST;
    explicit told_operations(int lacks) {
        const std::size_t size = sizeof(io_uring_probe) + count * sizeof(io_uring_probe_op);
        bytes_ = std::make_unique<std::byte[]>(size);
        auto& probe = *reinterpret_cast<io_uring_probe*>(bytes_.get());
        probe.last_op = count - 1;
        probe.ops_len = count;
        for (int op = 0; op < count; ++op) {
            probe.ops[op].op = static_cast<__u8>(op);
            probe.ops[op].flags = op == lacks ? 0 : IO_URING_OP_SUPPORTED;
        }
    }
    const io_uring_probe& get() const { return *reinterpret_cast<const io_uring_probe*>(bytes_.get()); }

private:
    std::unique_ptr<std::byte[]> bytes_;
};

TEST(UringProbe, ARingThatLacksAnOperationIsNotUsed) {
    EXPECT_FALSE(lacking_operation(told_operations(-1).get()));
    std::set<std::string> named;
    for (int op = 0; op < told_operations::count; ++op) {
        const auto lacking = lacking_operation(told_operations(op).get());
        if (!lacking) continue;
        EXPECT_EQ(lacking->code().value(), EOPNOTSUPP);
        named.insert(lacking->what());
    }
    for (const char* used : {"poll", "cancel", "read", "write", "recv", "send", "recvmsg", "sendmsg", "accept",
                             "connect", "open", "close", "fsync"})
        EXPECT_TRUE(std::ranges::any_of(named, [&](const std::string& text) {
            return text.starts_with(std::string("io_uring lacks the operation ") + used + ":");
        })) << used;
}

bool epoll_sleeps_until_its_deadline(int) {
    const auto io = make_backend(backend_kind::epoll);
    const time_point until = io->now() + 1500us;
    int waits = 0;
    for (; io->now() < until; ++waits) io->wait(until);
    return waits < 100 && echoes(*io);
}

TEST(WithoutEpollPwait2, TimeoutsAreRoundedUpToMilliseconds) {
    for (const int error : {ENOSYS, EPERM}) {
        EXPECT_EQ(where_denied(error, {SYS_epoll_pwait2}, epoll_sleeps_until_its_deadline),
                  (std::pair{0, std::string()}));
    }
}

INSTANTIATE_TEST_SUITE_P(Errors, WithoutUring, testing::Values(EPERM, ENOSYS, ENOMEM),
                         [](const auto& info) { return std::string(::strerrorname_np(info.param)); });

} // namespace
} // namespace rondo::detail
