// What a thread takes from the heap to tell a loop of its result: nothing.
#include "support/loop_test.hpp"
#include "support/operator_new.hpp"

#include <rondo/loop/executor.hpp>
#include <rondo/task/run_in_executor.hpp>
#include <rondo/task/wrap_future.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace rondo {
namespace {

class ThreadAllocations : public test::loop_test {};
RONDO_ON_EACH_BACKEND(ThreadAllocations);

/// One thread for each call; counts what it allocates beside the call itself.
class counting_executor : public executor {
public:
    ~counting_executor() override {
        for (std::thread& t : threads_) t.join();
    }
    void submit(std::function<void()> work) override {
        threads_.emplace_back([this, work = std::move(work)]() mutable {
            const std::size_t before = test::operator_new_calls();
            work();
            calls_ += test::operator_new_calls() - before;
        });
    }
    void end() {
        for (std::thread& t : threads_) t.join();
        threads_.clear();
    }
    std::size_t calls() const { return calls_.load(); }

private:
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> calls_ = 0;
};

TEST_P(ThreadAllocations, WhatAThreadHasDoneComesBackWithoutAny) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    counting_executor threads;
    run([&]() -> coro<> {
        EXPECT_EQ(co_await loop().run_in_executor(&threads, [] { return 1; }), 1);
        concurrent_future<int> far;
        future<int> mirror = wrap_future(far);
        co_await loop().run_in_executor(&threads, [&] { far.set_result(2); });
        EXPECT_EQ(co_await mirror, 2);
    });
    threads.end();
    EXPECT_EQ(threads.calls(), 0U);
}

} // namespace
} // namespace rondo
