// A frame knows where it waits: file, line and function of the co_await, at the place that toolchains must agree on.
#include "coro/by_hand.hpp"

#include <source_location>
#include <string_view>

namespace rondo {
namespace {

std::coroutine_handle<> stopped; // the frame that waits in stop{}

struct stop {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> frame) const noexcept { stopped = frame; }
    int await_resume() const noexcept { return 0; }
};

/// Starts c, and gives the header of the frame that is suspended then, to look at while c lives.
class suspended {
public:
    explicit suspended(coro<int> c) {
        const auto root = detail::coro_access::release(c);
        root.promise().continuation = end_.handle();
        root.resume();
        EXPECT_FALSE(end_.reached);
    }
    suspended(const suspended&) = delete;
    suspended& operator=(const suspended&) = delete;
    ~suspended() { test::destroy_chain(stopped, end_); }

    const detail::frame_header& innermost() const { return detail::header_of(stopped); }
    const detail::frame_header& parent() const { return detail::header_of(innermost().continuation); }

private:
    test::end_of_chain end_;
};

std::string_view file_of(const std::source_location& where) { return where.file_name(); }
std::string_view function_of(const std::source_location& where) { return where.function_name(); }

constexpr int line_of_simple = __LINE__ + 1;
coro<int> simple() { co_return co_await stop{}; }

TEST(AwaitSite, NamesFileLineAndFunction) {
    const suspended s(simple());
    EXPECT_TRUE(file_of(s.innermost().await_at).ends_with("await_site_test.cpp"));
    EXPECT_EQ(s.innermost().await_at.line(), line_of_simple);
    EXPECT_NE(function_of(s.innermost().function).find("simple"), std::string_view::npos);
}

constexpr int line_of_call = __LINE__ + 3;
coro<int> parent_of_simple() {
    int got = 0;
    got += co_await simple();
    got += co_await stop{};
    co_return got;
}

TEST(AwaitSite, EachFrameOfAChainHasItsOwn) {
    const suspended s(parent_of_simple());
    EXPECT_EQ(s.innermost().await_at.line(), line_of_simple);
    EXPECT_EQ(s.parent().await_at.line(), line_of_call);
    EXPECT_NE(function_of(s.parent().function).find("parent_of_simple"), std::string_view::npos);
}

TEST(AwaitSite, MovesWithEachAwait) {
    const suspended s(parent_of_simple());
    stopped.resume();
    EXPECT_EQ(s.innermost().await_at.line(), line_of_call + 1);
}

stop stop_named(std::string_view, std::string_view) { return {}; }

constexpr int line_of_long_operand = __LINE__ + 2;
coro<int> long_operand() {
    const int got = co_await stop_named("an argument that is long enough to push what follows it", "to a second line");
    co_return got;
}

TEST(AwaitSite, OfALongOperandIsTheLineOfCoAwait) {
    const suspended s(long_operand());
    EXPECT_EQ(s.innermost().await_at.line(), line_of_long_operand);
}

constexpr int line_in_template = __LINE__ + 2;
template <class T> coro<int> in_template(T value) {
    for (int i = 0; i < 2; ++i) value += co_await stop{};
    co_return static_cast<int>(value);
}

TEST(AwaitSite, WorksInTemplatesAndLoops) {
    const suspended s(in_template(1L));
    EXPECT_EQ(s.innermost().await_at.line(), line_in_template);
    stopped.resume();
    EXPECT_EQ(s.innermost().await_at.line(), line_in_template);
    EXPECT_NE(function_of(s.innermost().function).find("in_template"), std::string_view::npos);
}

TEST(AwaitSite, WorksInLambdas) {
    constexpr int line = __LINE__ + 1;
    const auto lambda = [](auto) -> coro<int> { co_return co_await stop{}; };
    const suspended s(lambda(1));
    EXPECT_EQ(s.innermost().await_at.line(), line);
}

TEST(AwaitSite, OfAFrameThatHasNotStartedIsItsDefinition) {
    coro<int> c = simple();
    const auto root = detail::coro_access::release(c);
    EXPECT_EQ(detail::header_of(root).await_at.line(), line_of_simple);
    root.destroy();
}

} // namespace
} // namespace rondo
