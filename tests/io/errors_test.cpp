#include <rondo/io/errors.hpp>

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/task/errors.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <exception>
#include <string>

namespace {

using rondo::detail::exception_cast;
using rondo::detail::os_error;

template <class E> bool is_a(int error_number) {
    const auto error = os_error(error_number, "trying");
    const auto* system = exception_cast<std::system_error>(error);
    return exception_cast<E>(error) != nullptr && system && system->code().value() == error_number &&
           std::string(system->what()).find("trying") == 0;
}

TEST(OsErrors, HaveTheClassThatPythonGivesThem) {
    EXPECT_TRUE(is_a<rondo::broken_pipe_error>(EPIPE));
    EXPECT_TRUE(is_a<rondo::broken_pipe_error>(ESHUTDOWN));
    EXPECT_TRUE(is_a<rondo::connection_reset_error>(ECONNRESET));
    EXPECT_TRUE(is_a<rondo::connection_aborted_error>(ECONNABORTED));
    EXPECT_TRUE(is_a<rondo::connection_refused_error>(ECONNREFUSED));
    EXPECT_TRUE(is_a<rondo::process_lookup_error>(ESRCH));
    EXPECT_TRUE(is_a<rondo::timeout_error>(ETIMEDOUT));
    EXPECT_TRUE(is_a<std::system_error>(ENOENT));
    EXPECT_FALSE(is_a<rondo::connection_error>(ENOENT));
}

TEST(OsErrors, OfConnectionsHaveACommonBase) {
    for (const int e : {EPIPE, ECONNRESET, ECONNABORTED, ECONNREFUSED})
        EXPECT_TRUE(is_a<rondo::connection_error>(e)) << e;
}

TEST(IncompleteReadError, HasWhatHadCome) {
    const rondo::incomplete_read_error counted(rondo::bytes(rondo::bytes_view("abc")), 10);
    EXPECT_EQ(counted.partial(), "abc");
    EXPECT_EQ(counted.expected(), 10u);
    const rondo::incomplete_read_error until(rondo::bytes(), std::nullopt);
    EXPECT_EQ(until.expected(), std::nullopt);
}

} // namespace
