// Operations on files, and files on sockets, on every backend.
#include "loop/backend_fixture.hpp"
#include "support/temporary_directory.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>

namespace rondo::detail::testing_support {
namespace {

class BackendFiles : public EachBackend {
protected:
    std::int64_t open(const std::string& path, int flags) {
        probe_operation op(operation_kind::open);
        op.data = path.c_str();
        op.flags = static_cast<std::uint32_t>(flags | O_CLOEXEC);
        op.size = 0600;
        return run(op);
    }
    struct sendfile_operation : probe_operation {
        sendfile_operation(int to, const descriptor& file, std::uint64_t from, std::size_t count)
            : probe_operation(operation_kind::sendfile, to) {
            flags = static_cast<std::uint32_t>(file.fd);
            offset = from;
            size = count;
        }
    };
    /// Until it waits for room.
    static std::size_t fill(int fd) {
        const std::string filler(65'536, '.');
        std::size_t filled = 0;
        for (ssize_t n; (n = ::send(fd, filler.data(), filler.size(), MSG_DONTWAIT)) > 0;)
            filled += static_cast<std::size_t>(n);
        return filled;
    }
    static void empty(int fd, std::size_t n) {
        std::string buffer(65'536, '\0');
        while (n > 0) {
            const ssize_t part = ::recv(fd, buffer.data(), std::min(buffer.size(), n), 0);
            ASSERT_GT(part, 0);
            n -= static_cast<std::size_t>(part);
        }
    }
    test::temporary_directory directory;
};
RONDO_FOR_EACH_BACKEND(BackendFiles);

TEST_P(BackendFiles, AreOpenedWrittenSyncedReadAndClosed) {
    const std::string path = directory / "file";
    EXPECT_EQ(open(path, O_RDONLY), -ENOENT);
    const std::int64_t fd = open(path, O_RDWR | O_CREAT | O_EXCL);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(open(path, O_RDWR | O_CREAT | O_EXCL), -EEXIST);

    probe_operation write(operation_kind::write, static_cast<int>(fd));
    write.data = "hello";
    write.size = 5;
    EXPECT_EQ(run(write), 5);
    EXPECT_EQ(io->os().seek(static_cast<int>(fd), 0, SEEK_CUR), 5);
    write.offset = 1;
    EXPECT_EQ(run(write), 5);
    EXPECT_EQ(io->os().seek(static_cast<int>(fd), 0, SEEK_CUR), 5);
    for (const std::uint32_t data_only : {0u, 1u}) {
        probe_operation sync(operation_kind::fsync, static_cast<int>(fd));
        sync.flags = data_only;
        EXPECT_EQ(run(sync), 0);
    }
    std::array<char, 16> room{};
    probe_operation read(operation_kind::read, static_cast<int>(fd));
    read.buffer = room.data();
    read.size = room.size();
    read.offset = 0;
    EXPECT_EQ(run(read), 6);
    EXPECT_EQ(std::string_view(room.data(), 6), "hhello");
    probe_operation close(operation_kind::close, static_cast<int>(fd));
    EXPECT_EQ(run(close), 0);
    EXPECT_LT(::fcntl(static_cast<int>(fd), F_GETFD), 0);
    EXPECT_EQ(run(close), -EBADF);
}

TEST_P(BackendFiles, OnlyIoUringTakesThemWithoutKeepingTheThread) {
    EXPECT_EQ(io->takes_files(), GetParam() != flavour::epoll);
}

TEST_P(BackendFiles, SendfileSendsFromTheOffsetAndLeavesThePosition) {
    auto [a, b] = stream_pair();
    test::put(directory / "file", "0123456789");
    const descriptor file(::open((directory / "file").c_str(), O_RDONLY));
    sendfile_operation op(a.fd, file, 2, 5);
    EXPECT_EQ(run(op), 5);
    std::array<char, 16> room{};
    EXPECT_EQ(run_recv(b.fd, room), 5);
    EXPECT_EQ(std::string_view(room.data(), 5), "23456");
    EXPECT_EQ(::lseek(file.fd, 0, SEEK_CUR), 0);
    sendfile_operation at_the_end(a.fd, file, 10, 5);
    EXPECT_EQ(run(at_the_end), 0);
}

TEST_P(BackendFiles, SendfileWaitsForRoom) {
    auto [a, b] = stream_pair();
    test::put(directory / "file", "text");
    const descriptor file(::open((directory / "file").c_str(), O_RDONLY));
    const std::size_t filled = fill(a.fd);
    sendfile_operation op(a.fd, file, 0, 4);
    EXPECT_FALSE(io->submit(op));
    poll_a_few_times();
    EXPECT_TRUE(op.pending());
    empty(b.fd, filled);
    settle(op);
    EXPECT_EQ(op.result, 4);
    EXPECT_EQ(op.completions, 1);
    std::array<char, 16> room{};
    EXPECT_EQ(run_recv(b.fd, room), 4);
    EXPECT_EQ(std::string_view(room.data(), 4), "text");
}

TEST_P(BackendFiles, SendfileThatIsCancelledSendsNothing) {
    auto [a, b] = stream_pair();
    test::put(directory / "file", "text");
    const descriptor file(::open((directory / "file").c_str(), O_RDONLY));
    const std::size_t filled = fill(a.fd);
    sendfile_operation op(a.fd, file, 0, 4);
    EXPECT_FALSE(io->submit(op));
    poll_a_few_times();
    io->cancel(op);
    settle(op);
    EXPECT_EQ(op.result, -ECANCELED);
    empty(b.fd, filled);
    poll_a_few_times();
    char left = 0;
    EXPECT_LT(::recv(b.fd, &left, 1, MSG_DONTWAIT), 0);
    EXPECT_EQ(op.completions, 1);
}

TEST_P(BackendFiles, SendfileToNobodyIsAnErrorAndNoSignal) {
    test::put(directory / "file", "text");
    const descriptor file(::open((directory / "file").c_str(), O_RDONLY));
    const auto before = std::signal(SIGPIPE, SIG_DFL); // would end the process
    {
        auto [a, b] = stream_pair();
        b.close();
        sendfile_operation op(a.fd, file, 0, 4);
        EXPECT_EQ(run(op), -EPIPE);
    }
    {
        auto [a, b] = stream_pair();
        fill(a.fd);
        sendfile_operation op(a.fd, file, 0, 4);
        EXPECT_FALSE(io->submit(op));
        poll_a_few_times();
        b.close();
        settle(op);
        EXPECT_LT(op.result, 0);
    }
    std::signal(SIGPIPE, before);
}

TEST_P(BackendFiles, AFileIsAdoptedAFifoASocketAndATerminalAreNot) {
    test::put(directory / "file", "text");
    const descriptor file(::open((directory / "file").c_str(), O_RDONLY | O_NONBLOCK));
    EXPECT_EQ(io->os().adopt_file(file.fd), 0);
    EXPECT_EQ(io->os().is_non_blocking(file.fd), 0);
    EXPECT_EQ(io->os().file_size(file.fd), 4);
    ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
    const descriptor fifo(::open((directory / "fifo").c_str(), O_RDONLY | O_NONBLOCK));
    EXPECT_EQ(io->os().adopt_file(fifo.fd), -EINVAL);
    auto [a, b] = stream_pair();
    EXPECT_EQ(io->os().adopt_file(a.fd), -EINVAL);
    const descriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY));
    if (terminal.fd >= 0) EXPECT_EQ(io->os().adopt_file(terminal.fd), -EINVAL);
    EXPECT_EQ(io->os().adopt_file(-1), -EBADF);
    EXPECT_EQ(io->os().file_size(-1), -EBADF);
    EXPECT_EQ(io->os().seek(fifo.fd, 0, SEEK_SET), -ESPIPE);
}

TEST_P(BackendFiles, TheCallsForThreadsSayWhatFailed) {
    os& system = io->os();
    EXPECT_EQ(system.permissions(directory / "absent"), -ENOENT);
    EXPECT_EQ(system.rename(directory / "absent", directory / "other"), -ENOENT);
    EXPECT_EQ(system.remove_file(directory / "absent"), -ENOENT);
    EXPECT_EQ(system.sync_directory(directory / "absent"), -ENOENT);
    EXPECT_EQ(system.sync_directory(directory / "."), 0);
    EXPECT_EQ(system.truncate(-1, 1), -EBADF);
    EXPECT_EQ(system.set_permissions(-1, 0600), -EBADF);
}

} // namespace
} // namespace rondo::detail::testing_support
