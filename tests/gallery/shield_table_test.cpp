// shield-table: which cases shield.
#include "gallery/gallery.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gallery::test {
namespace {

class ShieldTable : public testing::Test {
protected:
    finished run_ = test::run("shield-table", {"--virtual-time"});

    void SetUp() override { EXPECT_EQ(run_.code, 0); }

    /// What the table says of this code when this happens.
    void expect(std::string code, std::string event, std::string work, std::string waiter) {
        for (std::size_t i = 0; i + 2 < run_.out.size(); ++i) {
            if (run_.out[i] != code || !run_.out[i + 1].starts_with("  " + event + ":")) continue;
            EXPECT_EQ(run_.out[i + 1], "  " + event + ": the work " + work + ", the waiter " + waiter);
            EXPECT_TRUE(run_.out[i + 2].starts_with(work == "finished" ? "  SHIELDS: " : "  DOES NOT: "));
            return;
        }
        ADD_FAILURE() << "no case " << code << ", " << event;
    }
};

TEST_F(ShieldTable, AShieldStopsWhatComesFromItsWaiter) {
    expect("co_await task", "the waiter is cancelled", "was cut off", "was cancelled");
    expect("co_await shield(task)", "the waiter is cancelled", "finished", "was cancelled");
    expect("co_await shield(coroutine)", "the waiter is cancelled", "finished", "was cancelled");
    expect("co_await gather(shield(coroutine), sleep)", "the waiter is cancelled", "finished", "was cancelled");
    expect("co_await shield(gather(coroutine, sleep))", "the waiter is cancelled", "finished", "was cancelled");
    expect("co_await wait_for(shield(coroutine), 50ms)", "the time is over", "finished", "timed out");
}

TEST_F(ShieldTable, AShieldDoesNotStopWhatGoesRoundIt) {
    expect("co_await shield(wait_for(coroutine, 50ms))", "the time is over", "was cut off", "timed out");
    expect("co_await shield(task)", "the task itself is cancelled", "was cut off", "was cancelled");
    expect("co_await shield(coroutine)", "all tasks are cancelled", "was cut off", "was cancelled");
    expect("co_await shield(group.create_task(coroutine))", "a sibling fails", "was cut off", "failed");
}

TEST_F(ShieldTable, AGroupDoesNotWaitForWhatAChildHasShielded) {
    expect("a child of a group: co_await shield(coroutine)", "a sibling fails", "finished", "failed");
}

TEST_F(ShieldTable, AShieldedScopeHidesScopesAndWaits) {
    const std::string scope = "co_await cancel_scope({.shield = true}).run(...)";
    expect(scope, "a scope around it is cancelled", "finished", "went on");
    expect(scope, "the waiter is cancelled", "was cut off", "was cancelled");
    expect("co_await finally(sleep, coroutine)", "the waiter is cancelled, twice", "finished", "was cancelled");
}

TEST_F(ShieldTable, EveryCaseIsChecked) {
    std::size_t cases = 0;
    for (const std::string& line : run_.out)
        if (line.starts_with("  SHIELDS: ") || line.starts_with("  DOES NOT: ")) ++cases;
    EXPECT_EQ(cases, 14u);
}

} // namespace
} // namespace gallery::test
