// Descriptors that the program has opened: whether and how they can be waited for.
#include "loop/backend/posix_os.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rondo::detail {
namespace {

class OsPipe : public testing::Test {
protected:
    /// What is made of it, and that it is non-blocking then.
    int adopted(int fd, bool for_writing) {
        EXPECT_EQ(os.is_non_blocking(fd), 0);
        const int result = os.adopt_pipe(fd, for_writing);
        EXPECT_EQ(os.is_non_blocking(fd), result >= 0 ? 1 : 0);
        return result;
    }
    posix_os os;
};

TEST_F(OsPipe, PipesAndSocketsAreMadeNonBlocking) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    EXPECT_EQ(adopted(ends[0], false), 1);
    EXPECT_EQ(adopted(ends[1], true), 1);
    ::close(ends[0]);
    ::close(ends[1]);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    EXPECT_EQ(adopted(ends[0], false), 1);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(OsPipe, ACharacterDeviceToo) {
    const int fd = ::open("/dev/null", O_WRONLY);
    EXPECT_EQ(adopted(fd, true), 0);
    ::close(fd);
}

TEST_F(OsPipe, AnythingElseIsRefusedAndLeftAsItIs) {
    const int fd = ::open(".", O_RDONLY | O_DIRECTORY);
    EXPECT_EQ(adopted(fd, false), -EINVAL);
    ::close(fd);
    EXPECT_EQ(os.adopt_pipe(-1, false), -EBADF);
    EXPECT_EQ(os.is_non_blocking(-1), -EBADF);
}

} // namespace
} // namespace rondo::detail
