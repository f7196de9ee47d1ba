#include <rondo/loop/executor.hpp>

#include <rondo/coro/exceptions.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <csignal>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rondo {
namespace {

std::string thread_name() {
    std::array<char, 16> name{};
    ::pthread_getname_np(::pthread_self(), name.data(), name.size());
    return name.data();
}

TEST(ThreadPool, DoesItsWorkInOtherThreads) {
    thread_pool pool(2);
    std::latch done(2);
    std::array<std::thread::id, 2> ids;
    for (std::thread::id& id : ids) {
        pool.submit([&] {
            id = std::this_thread::get_id();
            done.count_down();
        });
    }
    done.wait();
    for (const std::thread::id& id : ids) EXPECT_NE(id, std::this_thread::get_id());
}

TEST(ThreadPool, FinishesWhatWasSubmittedBeforeItEnds) {
    std::atomic<int> done = 0;
    {
        thread_pool pool(3);
        for (int i = 0; i < 10'000; ++i) pool.submit([&] { ++done; });
    }
    EXPECT_EQ(done, 10'000);
}

TEST(ThreadPool, OneThreadKeepsTheOrder) {
    std::vector<int> order;
    {
        thread_pool pool(1);
        for (int i = 0; i < 1000; ++i) pool.submit([&order, i] { order.push_back(i); });
    }
    ASSERT_EQ(order.size(), 1000u);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(ThreadPool, HasAsManyThreadsAsAskedForAndNoMore) {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::barrier together(4); // passed only when four threads work at the same time
    {
        thread_pool pool(4);
        for (int i = 0; i < 40; ++i) {
            pool.submit([&] {
                together.arrive_and_wait();
                std::lock_guard<std::mutex> lock(mutex);
                threads.insert(std::this_thread::get_id());
            });
        }
    }
    EXPECT_EQ(threads.size(), 4u);
}

TEST(ThreadPool, StartsThreadsOnlyWhenNeeded) {
    std::set<std::string> names;
    thread_pool pool(8);
    for (int i = 0; i < 50; ++i) {
        std::latch done(1);
        pool.submit([&] {
            names.insert(thread_name());
            done.count_down();
        });
        done.wait();
    }
    // A worker that has reported may not have gone back to waiting yet, so a second one may be started; not one for each.
    EXPECT_LE(names.size(), 8u);
    EXPECT_TRUE(names.contains("rondo-0"));
    thread_pool unused(8); // starts none, and ends
}

TEST(ThreadPool, ItsThreadsHaveNames) {
    std::set<std::string> names;
    std::mutex mutex;
    std::barrier together(2);
    {
        thread_pool pool(2, "worker");
        for (int i = 0; i < 2; ++i) {
            pool.submit([&] {
                together.arrive_and_wait();
                std::lock_guard<std::mutex> lock(mutex);
                names.insert(thread_name());
            });
        }
        thread_pool long_name(1, "a-name-that-is-longer-than-linux-allows");
        long_name.submit([&] {
            std::lock_guard<std::mutex> lock(mutex);
            names.insert(thread_name());
        });
    }
    EXPECT_EQ(names, (std::set<std::string>{"worker-0", "worker-1", "a-name-that-is-"}));
}

TEST(ThreadPool, ItsThreadsLeaveSignalsToTheLoop) {
    sigset_t mask;
    ::sigemptyset(&mask);
    {
        thread_pool pool(1);
        pool.submit([&] { ::pthread_sigmask(SIG_SETMASK, nullptr, &mask); });
    }
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGRTMIN})
        EXPECT_TRUE(::sigismember(&mask, signal));
    sigset_t own;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
    EXPECT_FALSE(::sigismember(&own, SIGINT));
}

TEST(ThreadPool, WorkMaySubmitWork) {
    std::atomic<int> done = 0;
    std::function<void(int)> spread;
    {
        thread_pool pool(2);
        spread = [&](int depth) {
            ++done;
            if (depth == 0) return;
            for (int i = 0; i < 2; ++i) pool.submit([&, depth] { spread(depth - 1); });
        };
        pool.submit([&] { spread(8); });
    }
    EXPECT_EQ(done, (1 << 9) - 1);
}

TEST(ThreadPool, ManyThreadsMaySubmit) {
    std::atomic<int> done = 0;
    {
        thread_pool pool(3);
        std::vector<std::thread> submitters;
        for (int t = 0; t < 4; ++t) {
            submitters.emplace_back([&] {
                for (int i = 0; i < 1000; ++i) pool.submit([&] { ++done; });
            });
        }
        for (std::thread& thread : submitters) thread.join();
    }
    EXPECT_EQ(done, 4000);
}

TEST(ThreadPool, MayBeDestroyedByItsOwnWork) {
    std::latch done(1);
    auto pool = std::make_unique<thread_pool>(2);
    thread_pool& p = *pool;
    p.submit([&] {
        pool.reset();
        done.count_down();
    });
    done.wait();
    EXPECT_EQ(pool, nullptr);
}

TEST(ThreadPool, WorkIsDestroyedInItsThreadAfterItRan) {
    struct note {
        std::thread::id* where;
        explicit note(std::thread::id& w) : where(&w) {}
        ~note() { *where = std::this_thread::get_id(); }
    };
    std::thread::id worker;
    std::thread::id destroyed_in;
    {
        thread_pool pool(1);
        pool.submit([&worker, held = std::make_shared<note>(destroyed_in)] { worker = std::this_thread::get_id(); });
    }
    EXPECT_EQ(destroyed_in, worker);
}

TEST(ThreadPool, AForkedChildCannotUseIt) {
    auto pool = std::make_unique<thread_pool>(1);
    std::latch done(1);
    pool->submit([&] { done.count_down(); });
    done.wait();
    const pid_t child = ::fork();
    if (child == 0) {
        bool refused = false;
        try {
            pool->submit([] {});
        } catch (const runtime_error&) {
            refused = true;
        }
        pool.reset(); // and it does not wait for threads that are not here
        ::_exit(refused ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

} // namespace
} // namespace rondo
