#include <rondo/io/address.hpp>

#include <rondo/coro/exceptions.hpp>

#include "io/socket_address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using rondo::address;

address through_the_kernels_form(const address& a) { return rondo::detail::socket_address(a).to_address(); }

TEST(Address, KnowsIpAndPort) {
    const address v4("192.0.2.1", 80);
    EXPECT_EQ(v4.ip(), "192.0.2.1");
    EXPECT_EQ(v4.port(), 80);
    EXPECT_EQ(v4.str(), "192.0.2.1:80");
    const address v6("2001:db8::1", 443);
    EXPECT_EQ(v6.ip(), "2001:db8::1");
    EXPECT_EQ(v6.str(), "[2001:db8::1]:443");
    EXPECT_EQ(address("fe80::1%3", 1).ip(), "fe80::1%3");
}

TEST(Address, RefusesWhatIsNotNumeric) {
    EXPECT_THROW(address("localhost", 1), rondo::value_error);
    EXPECT_THROW(address("", 1), rondo::value_error);
    EXPECT_THROW(address("1.2.3.4.5", 1), rondo::value_error);
    EXPECT_THROW(address("fe80::1%eth0", 1), rondo::value_error);
    EXPECT_THROW(address("1.2.3.4%1", 1), rondo::value_error);
}

TEST(Address, KnowsUnixPathsAndAbstractNames) {
    EXPECT_EQ(address::unix_path("/run/x.sock").path(), "/run/x.sock");
    EXPECT_EQ(address::unix_path("/run/x.sock").str(), "/run/x.sock");
    EXPECT_EQ(address::unix_path(std::string("\0name", 5)).str(), "@name");
    EXPECT_EQ(address::unix_path("/x").ip(), "");
    EXPECT_THROW(address::unix_path(""), rondo::value_error);
    EXPECT_THROW(address::unix_path(std::string(108, 'x')), rondo::value_error);
    EXPECT_NO_THROW(address::unix_path(std::string(107, 'x')));
}

TEST(Address, IsAValue) {
    EXPECT_EQ(address("127.0.0.1", 1), address("127.0.0.1", 1));
    EXPECT_NE(address("127.0.0.1", 1), address("127.0.0.1", 2));
    EXPECT_NE(address("127.0.0.1", 1), address());
    EXPECT_EQ(address(), address());
}

TEST(Address, SurvivesTheKernelsForm) {
    for (const address& a :
         {address("192.0.2.1", 80), address("2001:db8::1", 443), address("fe80::1%7", 9), address::unix_path("/run/x"),
          address::unix_path(std::string("\0a\0b", 4)), address::unix_path(std::string(107, 'p'))}) {
        EXPECT_EQ(through_the_kernels_form(a), a) << a.str();
    }
}

} // namespace
