#include "loop/timer_queue.hpp"

#include <rondo/loop/event_loop.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace rondo::detail {
namespace {

using namespace std::chrono_literals;

time_point at(std::int64_t ns) { return time_point(duration(ns)); }

struct timer : timer_node {
    explicit timer(std::function<void(timer&)> f = [](timer&) {})
        : timer_node([](timer_node& node, event_loop&) noexcept {
              auto& self = static_cast<timer&>(node);
              self.on_fire(self);
          }),
          on_fire(std::move(f)) {}
    std::function<void(timer&)> on_fire;
    int id = 0;
};

class TimerQueue : public testing::Test {
protected:
    void fire(time_point now) { queue.fire_due(now, loop); }
    std::unique_ptr<timer> make(int id) {
        auto t = std::make_unique<timer>([this](timer& self) { fired.push_back(self.id); });
        t->id = id;
        return t;
    }

    event_loop loop{{.backend = backend_kind::epoll}}; // only handed through
    timer_queue queue;
    std::vector<int> fired;
};

TEST_F(TimerQueue, IsEmptyAtFirst) {
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.next_deadline(), time_point::max());
    fire(at(1'000'000'000));
    EXPECT_EQ(queue.next_deadline(), time_point::max());
}

TEST_F(TimerQueue, FiresWhatIsDueAndNothingElse) {
    auto a = make(1), b = make(2), c = make(3);
    queue.arm(*a, at(1'000'000'300));
    queue.arm(*b, at(1'000'000'100));
    queue.arm(*c, at(1'000'000'200));
    EXPECT_EQ(queue.next_deadline(), at(1'000'000'100));
    fire(at(1'000'000'099));
    EXPECT_TRUE(fired.empty());
    fire(at(1'000'000'200));
    EXPECT_EQ(fired, (std::vector{2, 3}));
    EXPECT_FALSE(b->armed());
    EXPECT_TRUE(a->armed());
    EXPECT_EQ(queue.size(), 1u);
    EXPECT_EQ(queue.next_deadline(), at(1'000'000'300));
    fire(at(1'000'000'300));
    EXPECT_EQ(fired, (std::vector{2, 3, 1}));
    EXPECT_TRUE(queue.empty());
}

TEST_F(TimerQueue, EqualDeadlinesFireInTheOrderOfArming) {
    std::vector<std::unique_ptr<timer>> timers;
    // Armed at different distances from the deadline: some move down from an upper level, some are placed near it at once.
    const std::int64_t deadline = 40'000'000'000;
    int id = 0;
    for (std::int64_t now = 0; now < deadline; now = deadline - (deadline - now) / 3) {
        fire(at(now));
        for (int i = 0; i < 20; ++i) {
            timers.push_back(make(id++));
            queue.arm(*timers.back(), at(deadline));
        }
        if (deadline - now < 3) break;
    }
    fire(at(deadline));
    ASSERT_EQ(fired.size(), timers.size());
    EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
}

TEST_F(TimerQueue, WhatIsOverdueFiresInTheOrderOfItsDeadlines) {
    fire(at(5'000'000'000));
    std::vector<std::unique_ptr<timer>> timers;
    for (int i = 0; i < 100; ++i) {
        timers.push_back(make(i));
        queue.arm(*timers.back(), at(4'000'000'000 - i / 2)); // in pairs
    }
    EXPECT_LE(queue.next_deadline(), at(5'000'000'000));
    fire(at(5'000'000'000));
    ASSERT_EQ(fired.size(), 100u);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(fired[static_cast<std::size_t>(i)], 98 - i / 2 * 2 + i % 2);
}

TEST_F(TimerQueue, TheEndsOfTimeAreDeadlinesLikeOthers) {
    auto first = make(1), last = make(2), year = make(3), zero = make(4);
    queue.arm(*last, time_point::max());
    queue.arm(*first, time_point::min());
    queue.arm(*zero, at(0));
    queue.arm(*year, at(0) + 24h * 365 * 100);
    EXPECT_EQ(queue.next_deadline(), time_point::min());
    fire(at(1));
    EXPECT_EQ(fired, (std::vector{1, 4}));
    EXPECT_EQ(queue.next_deadline(), at(0) + 24h * 365 * 100);
    fire(time_point::max() - 1ns);
    EXPECT_EQ(fired, (std::vector{1, 4, 3}));
    EXPECT_EQ(queue.next_deadline(), time_point::max());
    fire(time_point::max());
    EXPECT_EQ(fired, (std::vector{1, 4, 3, 2}));
    queue.arm(*first, time_point::max());
    queue.arm(*last, time_point::min());
    fire(time_point::max());
    EXPECT_EQ(fired, (std::vector{1, 4, 3, 2, 2, 1}));
    EXPECT_TRUE(queue.empty());
}

TEST_F(TimerQueue, ALonelyTimerIsWaitedForOnce) {
    auto t = make(1);
    fire(at(123'456'789));
    for (const std::int64_t delay : {1, 100, 50'000, 1'000'000, 1'000'000'000}) {
        queue.arm(*t, at(123'456'789 + delay));
        EXPECT_EQ(queue.next_deadline(), at(123'456'789 + delay));
        queue.disarm(*t);
        EXPECT_EQ(queue.next_deadline(), time_point::max());
    }
}

TEST_F(TimerQueue, ACrowdWakesEarlyNoMoreThanOncePerLevel) {
    std::vector<std::unique_ptr<timer>> timers;
    for (int i = 0; i < 100'000; ++i) {
        timers.push_back(make(i));
        queue.arm(*timers.back(), at(3'600'000'000'000 + i));
    }
    int early = 0;
    for (time_point now = at(0); fired.empty(); ++early) {
        const time_point next = queue.next_deadline();
        ASSERT_GT(next, now);
        ASSERT_LE(next, at(3'600'000'000'000));
        now = next;
        fire(now);
    }
    EXPECT_LE(early - 1, 10);
}

TEST_F(TimerQueue, DisarmedWhileFiringDoesNotFire) {
    auto victim = make(2), earlier = make(3), same = make(4);
    timer killer([&](timer&) {
        fired.push_back(1);
        queue.disarm(*victim);
        queue.disarm(*same);
        queue.disarm(*earlier); // has fired: nothing happens
    });
    queue.arm(*earlier, at(50));
    queue.arm(killer, at(100));
    queue.arm(*same, at(100));
    queue.arm(*victim, at(200));
    fire(at(1000));
    EXPECT_EQ(fired, (std::vector{3, 1}));
    EXPECT_TRUE(queue.empty());
    EXPECT_FALSE(victim->armed());
}

TEST_F(TimerQueue, ArmedWhileFiringWaitsForTheNextCall) {
    auto other = make(7);
    int rounds = 0;
    timer again([&](timer& self) {
        ++rounds;
        queue.arm(self, at(10)); // long past
        if (!other->armed()) queue.arm(*other, at(1000));
    });
    queue.arm(again, at(100));
    fire(at(1000));
    EXPECT_EQ(rounds, 1);
    EXPECT_TRUE(fired.empty());
    EXPECT_LE(queue.next_deadline(), at(1000));
    fire(at(1000));
    EXPECT_EQ(rounds, 2);
    EXPECT_EQ(fired, (std::vector{7}));
    queue.disarm(again);
    queue.disarm(*other);
    EXPECT_TRUE(queue.empty());
}

TEST_F(TimerQueue, AFireFunctionMayDestroyItsTimer) {
    auto doomed = std::make_unique<timer>();
    doomed->on_fire = [&](timer&) {
        auto self = std::move(doomed);
        fired.push_back(1);
    };
    queue.arm(*doomed, at(5));
    fire(at(5));
    EXPECT_EQ(fired, (std::vector{1}));
    EXPECT_EQ(doomed, nullptr);
}

TEST_F(TimerQueue, TimeMayStandStillOrStepBack) {
    auto a = make(1), b = make(2);
    fire(at(1'000'000));
    fire(at(900'000));
    queue.arm(*a, at(950'000));
    queue.arm(*b, at(1'000'500));
    fire(at(900'000));
    EXPECT_TRUE(fired.empty() || fired == std::vector{1});
    fire(at(1'000'000));
    fire(at(1'000'000));
    EXPECT_EQ(fired, (std::vector{1}));
    fire(at(1'000'500));
    EXPECT_EQ(fired, (std::vector{1, 2}));
}

/// Against a model that is obviously right, over spans of time from nanoseconds to centuries.
class TimerQueueModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(TimerQueueModel, AgreesWithASortedMap) {
    std::mt19937_64 random(GetParam());
    const auto below = [&](std::uint64_t n) { return random() % n; };
    const auto of_any_size = [&](unsigned bits) { return static_cast<std::int64_t>(random() >> (63 - below(bits))); };
    event_loop loop{{.backend = backend_kind::epoll}};
    timer_queue queue;
    using entry = std::pair<std::int64_t, std::uint64_t>; // deadline, when it was armed
    std::map<entry, timer*> model;
    std::map<const timer*, std::map<entry, timer*>::iterator> places;
    std::uint64_t armed = 0;
    std::int64_t now = of_any_size(62); // and it moves on by less than 2^62
    bool wrong = false;
    std::uint64_t firing_since = 0; // what was armed from here on must not fire

    std::vector<std::unique_ptr<timer>> timers(1 + below(2000));
    const auto arm = [&](timer& t) {
        const std::int64_t span = of_any_size(62);
        std::int64_t when = now;
        switch (below(8)) {
        case 0: break;
        case 1: when = now - span % 1'000'000; break;
        case 2: when = model.empty() ? now : model.begin()->first.first; break;               // the same as another's
        case 3: when = now / 4096 * 4096 + static_cast<std::int64_t>(below(3)) * 4096; break; // edges of lists
        case 4: when = below(8) ? now + span % 1'000 : std::numeric_limits<std::int64_t>::max(); break;
        case 5: when = now + span % 1'000'000'000; break;
        default: when = now > std::numeric_limits<std::int64_t>::max() - span ? now : now + span; break;
        }
        queue.arm(t, at(when));
        places[&t] = model.emplace(entry(when, armed++), &t).first;
    };
    const auto forget = [&](timer& t) {
        model.erase(places.at(&t));
        places.erase(&t);
    };
    const auto disarm = [&](timer& t) {
        if (t.armed() != (places.count(&t) > 0)) wrong = true;
        if (t.armed()) forget(t);
        queue.disarm(t);
    };
    for (auto& t : timers) {
        t = std::make_unique<timer>([&](timer& self) {
            const auto first = model.begin();
            // Those armed by fire functions of this call may be earlier, and must be passed over.
            auto expected = first;
            while (expected != model.end() && expected->first.second >= firing_since) ++expected;
            if (self.armed() || expected == model.end() || expected->second != &self || expected->first.first > now)
                wrong = true;
            forget(self);
            const std::uint64_t dice = below(16);
            if (dice == 0) arm(self);
            if (dice == 1) disarm(*timers[below(timers.size())]);
            if (dice == 2) {
                timer& other = *timers[below(timers.size())];
                disarm(other);
                arm(other);
            }
        });
    }
    for (int step = 0; step < 50'000 && !wrong; ++step) {
        timer& t = *timers[below(timers.size())];
        switch (below(4)) {
        case 0:
            if (!t.armed()) arm(t);
            break;
        case 1: disarm(t); break;
        case 2:
            disarm(t);
            arm(t);
            break;
        default: {
            const time_point next = queue.next_deadline();
            ASSERT_LE(next, model.empty() ? time_point::max() : std::max(at(model.begin()->first.first), at(now)));
            if (model.empty()) {
                ASSERT_EQ(next, time_point::max());
            }
            if (below(2) && next > at(now) && next < at(now) + 1h) now = next.time_since_epoch().count();
            else now += of_any_size(below(8) ? 20 : 45);
            firing_since = armed;
            queue.fire_due(at(now), loop);
            // Nothing that was due and not armed just now is left.
            for (const auto& [key, left] : model) {
                if (key.first > now) break;
                if (key.second < firing_since) wrong = true;
            }
            firing_since = 0;
        }
        }
        ASSERT_EQ(queue.size(), model.size());
    }
    EXPECT_FALSE(wrong);
    for (auto& t : timers) disarm(*t);
    EXPECT_TRUE(queue.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, TimerQueueModel, testing::Range<std::uint64_t>(1, 21));

} // namespace
} // namespace rondo::detail
