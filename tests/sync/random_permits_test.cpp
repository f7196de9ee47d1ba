// Random plays with what is acquired, awaited and met: locks, semaphores, limiters, events, conditions, barriers.

#include <rondo/sync/barrier.hpp>
#include <rondo/sync/capacity_limiter.hpp>
#include <rondo/sync/condition.hpp>
#include <rondo/sync/event.hpp>
#include <rondo/sync/lock.hpp>
#include <rondo/sync/semaphore.hpp>

#include "random_play.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace {

using rondo::coro;
using rondo::test::pass_by;
using rondo::test::random_play;
using rondo::test::service_book;
using rondo::test::waiting_to;

class RandomPermits : public rondo::test::random_play_test {};
RONDO_IN_EACH_WORLD(RandomPermits);

constexpr std::uint64_t seeds = 1000;

/// Counts those who are inside.
struct visit {
    explicit visit(int& n) noexcept : inside(n) { ++inside; }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() { --inside; }
    int& inside;
};

class lock_play final : public random_play {
public:
    using random_play::random_play;

private:
    coro<> act(waiting_to& now) override {
        const int ticket = book.come();
        now = waiting_to::acquire;
        auto held = co_await mutex.scoped_lock();
        now = waiting_to::nothing;
        book.served(ticket);
        const visit here(inside);
        EXPECT_EQ(inside, 1);
        co_await pass_by(static_cast<int>(random.below(4)));
        EXPECT_TRUE(mutex.locked());
    }
    void interfere() override {
        if (!mutex.try_lock()) return;
        EXPECT_EQ(inside, 0);
        EXPECT_EQ(blocked(waiting_to::acquire), 0u) << "the lock was free";
        mutex.release();
    }
    void check() override { EXPECT_EQ(inside == 1, mutex.locked()); }
    void check_calm() override { EXPECT_EQ(living(), 0u); }
    coro<> finish() override { co_return; }
    void check_end() override { EXPECT_TRUE(mutex.try_lock()); }

    rondo::lock mutex;
    service_book book;
    int inside = 0;
};

TEST_P(RandomPermits, ALockLetsOneInAtATimeInTheOrderOfComing) { play_many<lock_play>(seeds); }

class semaphore_play final : public random_play {
public:
    explicit semaphore_play(std::uint64_t seed)
        : random_play(seed), total(static_cast<int>(random.below(3))), permits(total) {}

private:
    coro<> act(waiting_to& now) override {
        const int ticket = book.come();
        now = waiting_to::acquire;
        auto permit = co_await permits.scoped_acquire();
        now = waiting_to::nothing;
        book.served(ticket);
        const visit here(out);
        EXPECT_LE(out, total);
        co_await pass_by(static_cast<int>(random.below(4)));
    }
    void interfere() override {
        if (random.one_in(8)) {
            ++total;
            permits.release();
        } else if (permits.try_acquire()) {
            EXPECT_EQ(blocked(waiting_to::acquire), 0u) << "there was a permit";
            permits.release();
        }
    }
    void check() override {
        EXPECT_LE(static_cast<int>(permits.value()) + out, total) << "the others are on their way";
        if (permits.value() > 0) EXPECT_EQ(blocked(waiting_to::acquire), 0u);
    }
    void check_calm() override {
        EXPECT_EQ(static_cast<int>(permits.value()), total);
        if (total > 0) EXPECT_EQ(living(), 0u);
    }
    coro<> finish() override {
        if (total == 0) {
            ++total;
            permits.release();
        }
        co_return;
    }
    void check_end() override {
        EXPECT_EQ(static_cast<int>(permits.value()), total);
        EXPECT_FALSE(permits.locked());
    }

    int total;
    rondo::semaphore permits;
    service_book book;
    int out = 0;
};

TEST_P(RandomPermits, ASemaphoreNeitherLosesNorMakesPermits) { play_many<semaphore_play>(seeds); }

class limiter_play final : public random_play {
public:
    explicit limiter_play(std::uint64_t seed) : random_play(seed), tokens(random.below(4)) {}

private:
    coro<> act(waiting_to& now) override {
        const int ticket = book.come();
        now = waiting_to::acquire;
        auto token = co_await tokens.scoped_acquire();
        now = waiting_to::nothing;
        book.served(ticket);
        const visit here(out);
        co_await pass_by(static_cast<int>(random.below(4)));
    }
    void interfere() override { tokens.set_total_tokens(random.below(4)); }
    void check() override {
        const auto said = tokens.statistics();
        EXPECT_GE(said.borrowed_tokens, static_cast<std::size_t>(out));
        EXPECT_EQ(said.borrowers.size(), said.borrowed_tokens);
        EXPECT_EQ(said.tasks_waiting, blocked(waiting_to::acquire));
        if (tokens.available_tokens() > 0) EXPECT_EQ(said.tasks_waiting, 0u);
        if (said.borrowed_tokens > borrowed_before)
            EXPECT_LE(said.borrowed_tokens, std::max(total_before, said.total_tokens)) << "one was lent too many";
        borrowed_before = said.borrowed_tokens;
        total_before = said.total_tokens;
    }
    void check_calm() override {
        EXPECT_EQ(tokens.borrowed_tokens(), 0u);
        if (tokens.total_tokens() > 0) EXPECT_EQ(living(), 0u);
    }
    coro<> finish() override {
        tokens.set_total_tokens(2);
        co_return;
    }
    void check_end() override { EXPECT_EQ(tokens.available_tokens(), 2u); }

    rondo::capacity_limiter tokens;
    service_book book;
    int out = 0;
    std::size_t borrowed_before = 0;
    std::size_t total_before = 0;
};

TEST_P(RandomPermits, ALimiterThatIsResizedLendsNoMoreThanItHas) { play_many<limiter_play>(seeds); }

class event_play final : public random_play {
public:
    using random_play::random_play;

private:
    coro<> act(waiting_to& now) override {
        const bool was_set = flag.is_set();
        const int sets_before = sets;
        bool went_on = false;
        struct leave {
            const waiting_to& now;
            const bool& went_on;
            ~leave() {
                if (went_on || now != waiting_to::be_resumed) return;
                EXPECT_GT(rondo::current_task().cancelling(), 0) << "it was woken, and only task::cancel() may stop it";
            }
        } at_end{now, went_on};
        now = waiting_to::get;
        co_await flag.wait();
        went_on = true;
        EXPECT_TRUE(was_set || sets > sets_before) << "woken by nobody";
    }
    void interfere() override {
        switch (random.below(4)) {
        case 0: flag.clear(); break;
        case 1:
            set();
            flag.clear();
            break;
        case 2: set(); break;
        default: break;
        }
    }
    void set() {
        mark_blocked();
        flag.set();
        ++sets;
        EXPECT_EQ(blocked(waiting_to::get), 0u) << "everybody is woken";
    }
    void check() override {
        if (flag.is_set()) EXPECT_EQ(blocked(waiting_to::get), 0u);
    }
    void check_calm() override { check(); }
    coro<> finish() override {
        set();
        co_return;
    }
    void check_end() override {}

    rondo::event flag;
    int sets = 0;
};

TEST_P(RandomPermits, AnEventWakesEverybodyWhoWaitsAndNobodyElse) { play_many<event_play>(seeds); }

class condition_play final : public random_play {
public:
    using random_play::random_play;

private:
    coro<> act(waiting_to& now) override {
        const bool brings = random.one_in(4);
        now = waiting_to::acquire;
        auto held = co_await changed.scoped_lock();
        const visit here(inside);
        EXPECT_EQ(inside, 1);
        if (brings) {
            co_await pass_by(static_cast<int>(random.below(3)));
            bring(1);
        } else {
            now = waiting_to::get;
            // In wait() it is not inside.
            while (jobs == 0) {
                struct outside {
                    int& inside;
                    explicit outside(int& n) noexcept : inside(n) { --inside; }
                    ~outside() { ++inside; }
                } until_back(inside);
                co_await changed.wait();
            }
            EXPECT_TRUE(changed.locked());
            --jobs;
            ++done;
        }
        now = waiting_to::nothing;
        co_await pass_by(static_cast<int>(random.below(3)));
        EXPECT_EQ(inside, 1);
    }
    void bring(int n) {
        jobs += n;
        brought += n;
        changed.notify(static_cast<std::size_t>(n));
    }
    void interfere() override {
        if (held_outside) {
            held_outside = false;
            mutex.release();
        } else if (mutex.try_lock()) {
            EXPECT_EQ(inside, 0);
            EXPECT_EQ(blocked(waiting_to::acquire), 0u);
            bring(static_cast<int>(random.below(2)));
            held_outside = true; // whom it notified waits for the lock
        }
    }
    bool stops_when_asked() const override { return false; } // before it has the lock again
    void check() override { EXPECT_LE(inside, 1); }
    void check_calm() override {
        if (jobs > 0 && !held_outside) EXPECT_EQ(living(), 0u) << "a notification was lost";
    }
    coro<> finish() override {
        if (held_outside) mutex.release();
        co_await calm();
        if (jobs > 0) EXPECT_EQ(living(), 0u) << "a notification was lost";
        co_await changed.acquire();
        bring(static_cast<int>(living()));
        changed.release();
    }
    void check_end() override {
        EXPECT_EQ(done + jobs, brought);
        EXPECT_FALSE(mutex.locked());
    }

    rondo::lock mutex;
    rondo::condition changed{mutex};
    int inside = 0;
    bool held_outside = false;
    int jobs = 0;
    int brought = 0;
    int done = 0;
};

TEST_P(RandomPermits, AConditionLosesNoNotification) { play_many<condition_play>(seeds); }

class barrier_play final : public random_play {
public:
    explicit barrier_play(std::uint64_t seed)
        : random_play(seed), parties(1 + random.below(4)), gate(static_cast<std::ptrdiff_t>(parties)) {}

private:
    coro<> act(waiting_to& now) override {
        if (random.one_in(10)) {
            disturbed = true;
            if (random.one_in(2)) co_await gate.abort();
            co_await gate.reset();
            co_return;
        }
        for (unsigned rounds = 1 + random.below(3); rounds > 0; --rounds) {
            struct leave {
                bool& disturbed;
                bool passed = false;
                ~leave() {
                    if (!passed) disturbed = true;
                }
            } at_end{disturbed};
            now = waiting_to::get;
            try {
                note(co_await gate.wait());
                at_end.passed = true;
            } catch (const rondo::broken_barrier_error&) {
                EXPECT_TRUE(disturbed);
            }
            now = waiting_to::nothing;
            co_await pass_by(static_cast<int>(random.below(2)));
        }
    }
    /// The last one to come goes on first, then 0, 1 and so on.
    void note(std::size_t index) {
        EXPECT_LT(index, parties);
        const std::size_t place = (index + 1) % parties;
        if (!disturbed) EXPECT_EQ(place, next_place) << "of " << parties;
        next_place = (place + 1) % parties;
    }
    void interfere() override {}
    void check() override {
        EXPECT_LE(gate.n_waiting(), parties - 1);
        EXPECT_GE(blocked(waiting_to::get), gate.n_waiting());
    }
    void check_calm() override {
        EXPECT_EQ(blocked(waiting_to::get), gate.n_waiting()) << "somebody stays outside though nobody is leaving";
        EXPECT_LT(living(), parties) << "enough have come";
    }
    coro<> finish() override {
        disturbed = true;
        co_await gate.abort();
    }
    void check_end() override {
        EXPECT_TRUE(gate.broken());
        EXPECT_EQ(gate.n_waiting(), 0u);
    }

    std::size_t parties;
    rondo::barrier gate;
    std::size_t next_place = 0;
    bool disturbed = false;
};

TEST_P(RandomPermits, ABarrierLetsWholeRoundsThroughInOrder) { play_many<barrier_play>(seeds); }

} // namespace
