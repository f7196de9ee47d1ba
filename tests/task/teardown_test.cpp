// Frames are torn down iteratively: a small stack is enough, however many there are and however deep.
#include "support/loop_test.hpp"
#include "support/tracked.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/task_group.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include <pthread.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;

// A frame for each of 100,000 calls would need more than 1 MiB even at 16 bytes. AddressSanitizer's own frames, and the
// pass of its loop, are a few KiB.
constexpr std::size_t small_stack = std::size_t{256} * 1024;
constexpr int many = 100'000;

void on_a_small_stack(const std::function<void()>& work) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, small_stack), 0);
    pthread_t thread{};
    const auto run = [](void* fn) -> void* {
        (*static_cast<const std::function<void()>*>(fn))();
        return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, &attributes, run, const_cast<std::function<void()>*>(&work)), 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
}

class Teardown : public testing::TestWithParam<backend_kind> {
protected:
    /// Runs `main` on a loop in a thread with a small stack, closes the loop, and counts the reports.
    void run(duration patience, const std::function<coro<>()>& main) {
        on_a_small_stack([&] {
            const auto loop = test::make_loop(GetParam());
            if (!loop) return;
            detail::loop_access::state(*loop).patience = patience;
            loop->set_exception_handler([&](event_loop&, const error_context&) { ++reports; });
            loop->run_until_complete(main());
            loop->close();
            ran = true;
        });
        if (!ran) GTEST_SKIP() << "this kernel has no io_uring";
    }
    bool ran = false;
    int reports = 0;
    int living = 0;
};
RONDO_IN_EACH_WORLD(Teardown);

coro<> refuse_to_end() {
    for (;;) static_cast<void>(co_await as_result(sleep_forever()));
}
coro<> nest(int depth, int& living) {
    const test::tracked here(living);
    if (depth == 0) co_await refuse_to_end();
    else co_await nest(depth - 1, living);
}
coro<> nest_politely(int depth, int& living) {
    const test::tracked here(living);
    if (depth == 0) co_await sleep_forever();
    else co_await nest_politely(depth - 1, living);
}

TEST_P(Teardown, OneHundredThousandTasksThatEndWhenCancelled) {
    run(1min, [&]() -> coro<> {
        for (int i = 0; i < many; ++i)
            static_cast<void>(
                create_task([](test::tracked) -> coro<> { co_await sleep_forever(); }, test::tracked(living)));
        co_await yield();
    });
    EXPECT_EQ(living, 0);
    EXPECT_EQ(reports, 0);
}

TEST_P(Teardown, OneHundredThousandTasksThatRefuseToEnd) {
    run(1ms, [&]() -> coro<> {
        for (int i = 0; i < many; ++i)
            static_cast<void>(
                create_task([](test::tracked) -> coro<> { co_await refuse_to_end(); }, test::tracked(living)));
        co_await yield();
    });
    EXPECT_EQ(living, 0);
    EXPECT_EQ(reports, ran ? many : 0);
}

TEST_P(Teardown, AChainOfOneHundredThousandFramesThatRefusesToEnd) {
    run(1ms, [&]() -> coro<> {
        static_cast<void>(create_task(nest(many, living)));
        co_await yield();
        EXPECT_EQ(living, many + 1);
    });
    EXPECT_EQ(living, 0);
    EXPECT_EQ(reports, ran ? 1 : 0);
}

TEST_P(Teardown, AChainOfOneHundredThousandFramesUnwindsAndReturns) {
    run(1min, [&]() -> coro<> {
        auto t = create_task(nest_politely(many, living));
        co_await yield();
        EXPECT_EQ(living, many + 1);
        t.cancel();
        EXPECT_TRUE((co_await as_result(t)).cancelled());
        EXPECT_EQ(living, 0);
    });
}

TEST_P(Teardown, OneHundredThousandTasksThatWaitForOneFuture) {
    run(1min, [&]() -> coro<> {
        auto f = create_future<>();
        for (int i = 0; i < many; ++i) {
            static_cast<void>(
                create_task([](future<> g, test::tracked) -> coro<> { static_cast<void>(co_await as_result(g)); }, f,
                            test::tracked(living)));
        }
        co_await yield();
        f.set_result();
        co_await test::pass_by(2);
        EXPECT_EQ(living, 0);
    });
}

TEST_P(Teardown, AGroupOfOneHundredThousandChildrenIsCancelled) {
    run(1min, [&]() -> coro<> {
        co_await task_group::run([&](task_group& group) -> coro<> {
            for (int i = 0; i < many; ++i)
                group.start_soon([](test::tracked) -> coro<> { co_await sleep_forever(); }, test::tracked(living));
            co_await yield();
            group.cancel();
        });
        EXPECT_EQ(living, 0);
    });
}

} // namespace
} // namespace rondo
