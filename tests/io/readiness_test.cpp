// loop.readable(fd), loop.writable(fd) and notify_closing(fd).
#include "io/io_test.hpp"

#include <rondo/io/readiness.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace rondo {
namespace {

using test::pass_by;

class Readiness : public test::io_test {
protected:
    void SetUp() override {
        io_test::SetUp();
        if (IsSkipped()) return;
        const std::array<int, 2> fds = world().socket_pair();
        ours = fds[0];
        theirs = fds[1];
    }
    void TearDown() override {
        io_test::TearDown();
        for (const int fd : {ours, theirs}) {
            if (fd >= 0 && GetParam() != test::simulated) ::close(fd);
        }
    }
    void close(int& fd) {
        if (fd >= 0) world().close(std::exchange(fd, -1));
    }
    void send(char c) { EXPECT_EQ(world().write(theirs, {&c, 1}), 1); }
    void fill() {
        const std::string block(4096, 'x');
        while (world().write(ours, block) > 0) {}
    }
    void empty() {
        std::array<char, 65536> sink;
        while (world().read(theirs, sink.data(), sink.size()) > 0) {}
    }
    coro<char> read_one() {
        char c = 0;
        for (std::int64_t n = 0; (n = world().read(ours, &c, 1)) < 0;) {
            EXPECT_EQ(n, -EAGAIN);
            co_await loop().readable(ours);
        }
        co_return c;
    }
    int ours = -1;
    int theirs = -1;
};
RONDO_IN_EACH_WORLD(Readiness);

template <class A> coro<int> error_of(A a) {
    const result<void> r = co_await as_result(std::move(a));
    if (r) co_return 0;
    try {
        std::rethrow_exception(r.error());
    } catch (const std::system_error& e) {
        co_return e.code().value();
    } catch (...) {
        co_return -1;
    }
}

TEST_P(Readiness, WakesATaskWhenThereIsSomethingToRead) {
    run_io([this]() -> coro<> {
        auto t = create_task([this] { return read_one(); });
        co_await pass_by(5);
        EXPECT_FALSE(t.done());
        send('a');
        EXPECT_EQ(co_await t, 'a');
    });
}

TEST_P(Readiness, OfWhatIsReadyIsAtLeastOnePass) {
    run_io([this]() -> coro<> {
        send('a');
        const std::uint64_t before = passes();
        co_await loop().readable(ours);
        EXPECT_GT(passes(), before);
        co_await loop().writable(ours);
        EXPECT_EQ(co_await read_one(), 'a');
    });
}

TEST_P(Readiness, WaitsForRoomToWrite) {
    run_io([this]() -> coro<> {
        fill();
        auto t = create_task([this]() -> coro<> { co_await loop().writable(ours); });
        co_await pass_by(5);
        EXPECT_FALSE(t.done());
        empty();
        co_await t;
    });
}

TEST_P(Readiness, TheEndWakesToo) {
    run_io([this]() -> coro<> {
        auto t = create_task([this]() -> coro<> { co_await loop().readable(ours); });
        co_await pass_by(3);
        close(theirs);
        co_await t;
        char c = 0;
        EXPECT_EQ(world().read(ours, &c, 1), 0);
    });
}

TEST_P(Readiness, EveryTaskThatWaitsIsWoken) {
    run_io([this]() -> coro<> {
        std::string got;
        co_await task_group::run([&](task_group& g) -> coro<> {
            for (int i = 0; i < 5; ++i) {
                g.start_soon([&]() -> coro<> { got.push_back(co_await read_one()); });
            }
            co_await pass_by(3);
            for (const char c : {'a', 'b', 'c', 'd', 'e'}) {
                send(c);
                co_await pass_by(3);
            }
        });
        EXPECT_EQ(got.size(), 5u);
    });
}

TEST_P(Readiness, CancellationEndsItAndTheNextOneWorks) {
    run_io([this]() -> coro<> {
        for (int round = 0; round < 3; ++round) {
            auto t = create_task([this]() -> coro<> { co_await loop().readable(ours); });
            co_await pass_by(round);
            t.cancel();
            const auto r = co_await as_result(std::move(t));
            EXPECT_TRUE(r.cancelled());
        }
        EXPECT_EQ(co_await move_on_after(std::chrono::milliseconds(1), read_one()), std::nullopt);
        send('a');
        EXPECT_EQ(co_await read_one(), 'a');
    });
}

TEST_P(Readiness, CancelledTogetherWithReadinessNothingIsLost) {
    run_io([this]() -> coro<> {
        for (int round = 0; round < 4; ++round) {
            auto t = create_task([this] { return read_one(); });
            co_await pass_by(3);
            send('x');
            co_await pass_by(round);
            t.cancel();
            auto r = co_await as_result(std::move(t));
            EXPECT_EQ(r ? *r : co_await read_one(), 'x');
        }
    });
}

TEST_P(Readiness, NotifyClosingEndsEveryWaitWithEbadf) {
    run_io([this]() -> coro<> {
        fill();
        auto a = create_task([this] { return error_of(loop().readable(ours)); });
        auto b = create_task([this] { return error_of(loop().readable(ours)); });
        auto c = create_task([this] { return error_of(loop().writable(ours)); });
        loop().add_reader(ours, [] { ADD_FAILURE(); });
        co_await pass_by(3);
        loop().notify_closing(ours);
        close(ours);
        EXPECT_EQ(co_await a, EBADF);
        EXPECT_EQ(co_await b, EBADF);
        EXPECT_EQ(co_await c, EBADF);
        EXPECT_FALSE(loop().remove_reader(ours));
    });
}

TEST_P(Readiness, NotifyClosingTouchesNoOtherDescriptorAndNoLaterUse) {
    run_io([this]() -> coro<> {
        loop().notify_closing(ours); // nobody waits
        loop().notify_closing(-1);
        loop().notify_closing(123456);
        auto waiting = create_task([this] { return read_one(); });
        co_await pass_by(3);
        loop().notify_closing(theirs);
        co_await pass_by(3);
        EXPECT_FALSE(waiting.done());
        send('a');
        EXPECT_EQ(co_await waiting, 'a');
    });
}

TEST_P(Readiness, ACancellationComesBeforeNotifyClosing) {
    run_io([this]() -> coro<> {
        auto t = create_task([this]() -> coro<> { co_await loop().readable(ours); });
        co_await pass_by(3);
        t.cancel();
        loop().notify_closing(ours);
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
    });
}

TEST_P(Readiness, WhatIsNoOpenDescriptorIsAnError) {
    run_io([this]() -> coro<> {
        bool refused = false;
        try {
            co_await loop().readable(-1);
        } catch (const value_error&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
        close(ours);
        EXPECT_EQ(co_await error_of(loop().readable(theirs + 500)), EBADF);
    });
}

TEST_P(Readiness, IsForTasksOfTheSameLoop) {
    auto other = test::make_loop(GetParam());
    run_io([&]() -> coro<> {
        bool refused = false;
        try {
            co_await other->readable(ours);
        } catch (const runtime_error&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
    });
    other->close();
}

TEST_P(Readiness, DescribesItsWait) {
    run_io([this]() -> coro<> {
        auto t = create_task([this]() -> coro<> { co_await loop().readable(ours); });
        co_await pass_by(2);
        const detail::awaiter* blocked_on = t.record().blocked_on;
        EXPECT_TRUE(blocked_on);
        if (blocked_on)
            EXPECT_EQ(blocked_on->describe(), "waiting until descriptor " + std::to_string(ours) + " is readable");
        t.cancel();
        static_cast<void>(co_await as_result(std::move(t)));
    });
}

TEST_P(Readiness, TheEndOfTheLoopEndsIt) {
    int ended = 0;
    run_io([&]() -> coro<> {
        spawn([&]() -> coro<> {
            const auto r = co_await as_result(loop().readable(ours));
            ended += r.cancelled();
        });
        co_await pass_by(3);
    });
    loop().close();
    EXPECT_EQ(ended, 1);
}

TEST_P(Readiness, ATaskThatDoesNotEndIsTornDownWithItsOperation) {
    detail::loop_access::state(loop()).patience = duration(1);
    run_io([&]() -> coro<> {
        spawn([&]() -> coro<> {
            for (;;) static_cast<void>(co_await as_result(loop().readable(ours)));
        });
        co_await pass_by(3);
    });
    loop().close();
    EXPECT_EQ(reports.take().size(), 1u);
}

} // namespace
} // namespace rondo
