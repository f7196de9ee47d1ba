// shutdown-hang: the one that hangs is told of by name, the other ends.
#include "gallery/numbers.hpp"

#include <gtest/gtest.h>

namespace gallery::test {
namespace {

TEST(ShutdownHang, TheWatchdogNamesTheTaskAndTheMendedShutdownEnds) {
    const finished run = test::run("shutdown-hang");
    EXPECT_EQ(run.code, 0);
    EXPECT_TRUE(run.err.empty()) << "a cancellation is not reported: that is the trap";

    const std::size_t mended = run.find("gather(return_exceptions, others)");
    ASSERT_LT(mended, run.out.size()) << run.text();
    const std::size_t named = run.find("watchdog: task 'shutdown', made in line");
    EXPECT_LT(named, mended) << run.text();
    EXPECT_NE(run.out[named].find("was cancelled"), std::string::npos) << run.out[named];
    EXPECT_LT(run.find("nobody will say loop.stop()"), mended) << run.text();

    EXPECT_EQ(run.find("watchdog", mended), run.out.size()) << run.text();
    EXPECT_LT(run.find("publisher: what was left has been sent", mended), run.find("ended after", mended))
        << "it waits for those that need a while";
}

} // namespace
} // namespace gallery::test
