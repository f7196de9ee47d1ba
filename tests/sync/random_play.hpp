// Random play with one primitive: tasks come, wait, go on, are cancelled by task::cancel(), by a scope, by a deadline, and the
// books have to balance. One seed is one play; the same seed is the same play, on every machine.
#pragma once

#include "support/loop_test.hpp"

#include <rondo/task/as_result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/create_task.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace rondo::test {

/// SplitMix64 (Steele, Lea, Flood 2014): a few lines, the same numbers everywhere.
class small_random {
public:
    explicit small_random(std::uint64_t seed) noexcept : state_(seed) {}
    std::uint64_t next() noexcept {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    /// 0 to n - 1.
    unsigned below(unsigned n) noexcept { return static_cast<unsigned>(next() % n); }
    bool one_in(unsigned n) noexcept { return below(n) == 0; }

private:
    std::uint64_t state_;
};

/// Those who were served, among those who came: in the order of their coming, without those who left.
class service_book {
public:
    /// Before the await.
    int come() noexcept { return ++last_; }
    /// After it, at once.
    void served(int ticket) {
        EXPECT_GT(ticket, last_served_) << "somebody who came later was served before";
        last_served_ = ticket;
    }

private:
    int last_ = 0;
    int last_served_ = 0;
};

/// What a task waits for just now, so that the books can tell those who wait apart.
enum class waiting_to { nothing, acquire, put, get, be_resumed };

class random_play {
public:
    explicit random_play(std::uint64_t seed) noexcept : random(seed) {}
    random_play(const random_play&) = delete;
    random_play& operator=(const random_play&) = delete;
    virtual ~random_play() = default;

    coro<> play() {
        const unsigned steps = 20 + random.below(40);
        for (unsigned i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
            switch (random.below(16)) {
            case 0:
            case 1:
            case 2:
            case 3:
            case 4:
            case 5: bring_one_in(); break;
            case 6:
            case 7: cancel_one(); break;
            case 8:
            case 9:
            case 10:
            case 11:
                interfere();
                if (random.one_in(2)) cancel_one(); // at the moment of wake-up
                break;
            case 12:
            case 13:
                co_await calm();
                check_calm();
                break;
            default: co_await pass_by(static_cast<int>(1 + random.below(3)));
            }
            check();
        }
        co_await calm();
        check_calm();
        co_await finish();
        for (int i = 0; i < patience && living() > 0; ++i) co_await yield();
        EXPECT_EQ(living(), 0u) << "somebody waits for ever: " << what_they_do();
        for (actor& a : actors_) a.play.cancel();
        for (actor& a : actors_) {
            auto outcome = co_await as_result(a.play);
            EXPECT_TRUE(outcome.has_value() || outcome.cancelled()) << "an act failed";
        }
        check_end();
    }

protected:
    /// What a task does. `now` says what it waits for, if it does.
    virtual coro<> act(waiting_to& now) = 0;
    /// What is done from outside of the tasks, without waiting.
    virtual void interfere() = 0;
    /// What holds at any moment.
    virtual void check() = 0;
    /// What holds when everybody who could go on has gone on.
    virtual void check_calm() = 0;
    /// False: it may wait on, though it was asked to stop.
    virtual bool stops_when_asked() const { return true; }
    /// Lets those go on who still wait.
    virtual coro<> finish() = 0;
    /// The books.
    virtual void check_end() = 0;

    /// Suspended in an await that somebody else has to end.
    std::size_t blocked(waiting_to what) const {
        return count([&](const actor& a) { return a.play.record().blocked_on && *a.now == what; });
    }
    /// What those are told who are blocked: it is on its way.
    void mark_blocked() {
        for (actor& a : actors_) {
            if (!a.play.done() && a.play.record().blocked_on) *a.now = waiting_to::be_resumed;
        }
    }
    std::size_t living() const {
        return count([](const actor&) { return true; });
    }
    /// Passes, until everybody who still lives is blocked.
    coro<> calm() {
        const auto can_go_on = [](const actor& a) { return a.play.record().blocked_on == nullptr; };
        for (int i = 0; i < patience && count(can_go_on) > 0; ++i) co_await yield();
    }

    small_random random;

private:
    static constexpr int patience = 2000; // passes

    struct actor {
        std::unique_ptr<cancel_scope> scope;
        std::unique_ptr<waiting_to> now;
        task<> play;
    };

    template <class F> std::size_t count(F which) const {
        return static_cast<std::size_t>(
            std::count_if(actors_.begin(), actors_.end(), [&](const actor& a) { return !a.play.done() && which(a); }));
    }
    std::string what_they_do() const {
        std::string all;
        for (const actor& a : actors_) {
            if (!a.play.done() && a.play.record().blocked_on) all += a.play.record().blocked_on->describe() + "; ";
        }
        return all;
    }
    void bring_one_in() {
        cancel_scope_options options;
        if (random.one_in(8)) options.deadline = clock::now(); // runs out in the next pass
        auto scope = std::make_unique<cancel_scope>(options);
        auto now = std::make_unique<waiting_to>(waiting_to::nothing);
        const auto inside = [this](cancel_scope& own, waiting_to& doing) -> coro<> {
            static_cast<void>(co_await own.run([&]() -> coro<> { co_await act(doing); }));
        };
        task_options how;
        how.eager_start = random.one_in(4);
        auto play = create_task(std::move(how), inside, std::ref(*scope), std::ref(*now));
        actors_.push_back({std::move(scope), std::move(now), std::move(play)});
    }
    /// Rather one of the last, who are still there.
    void cancel_one() {
        if (actors_.empty()) return;
        const auto n = static_cast<unsigned>(actors_.size());
        actor& a = actors_[n - 1 - random.below(std::min(n, 6u))];
        if (a.play.done()) return;
        if (random.one_in(2)) a.play.cancel();
        else a.scope->cancel();
        if (stops_when_asked()) EXPECT_EQ(a.play.record().blocked_on, nullptr) << "it was asked to stop";
    }

    std::deque<actor> actors_;
};

/// A test of plays. Seeds 1 to `seeds`, until one fails: that one is printed, and RONDO_TEST_SEED=n plays only n.
class random_play_test : public loop_test {
protected:
    template <class Play> void play_many(std::uint64_t seeds) {
        std::uint64_t seed = 1;
        if (const char* only = std::getenv("RONDO_TEST_SEED")) seed = seeds = std::strtoull(only, nullptr, 10);
        for (; seed <= seeds && !HasFailure(); ++seed) {
            SCOPED_TRACE("RONDO_TEST_SEED=" + std::to_string(seed));
            Play one(seed);
            run([&] { return one.play(); });
        }
    }
};

} // namespace rondo::test
