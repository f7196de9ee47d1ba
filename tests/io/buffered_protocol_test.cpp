// buffered_protocol: bytes that the kernel puts where the protocol wants them.
#include "io/protocol_kit.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace rondo {
namespace {

using test::calls;
using test::pass_by;
using test::pattern;
using test::protocol_pair;
using test::recorder;

class BufferedProtocol : public test::io_test {};
RONDO_IN_EACH_WORLD(BufferedProtocol);

class buffering : public test::recording<buffered_protocol> {
public:
    explicit buffering(std::size_t room = 7) : room_(room) {}
    std::span<std::byte> get_buffer(std::size_t hint) override {
        EXPECT_GT(hint, 0u);
        EXPECT_FALSE(inside);
        EXPECT_FALSE(lent) << "the one before was not given back";
        if (on_get) on_get();
        lent = !room_.empty();
        ++asked;
        return {room_.data(), room_.size()};
    }
    void buffer_updated(std::size_t n) override {
        EXPECT_GT(n, 0u);
        EXPECT_LE(n, room_.size());
        EXPECT_TRUE(lent);
        lent = false;
        note("data");
        data += test::text_of({room_.data(), n});
        news.set();
        if (on_data) on_data();
    }
    const std::vector<std::byte>& room() const { return room_; }

    bool lent = false;
    int asked = 0;
    std::function<void()> on_get;

private:
    std::vector<std::byte> room_;
};

TEST_P(BufferedProtocol, GetsItsBytesWhereItWantsThem) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair(std::make_shared<buffering>());
        const std::string sent = pattern(50'000);
        co_await p.peer.writer.write(sent);
        co_await p.peer.writer.aclose();
        co_await p.protocol->over.wait();
        EXPECT_TRUE(p.protocol->data == sent);
        EXPECT_EQ(p.protocol->calls, (calls{"made", "data", "eof", "lost"}));
    });
}

TEST_P(BufferedProtocol, TheyAreThereWithoutACopyOfThem) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair(std::make_shared<buffering>(100));
        while (!p.protocol->lent) co_await yield();
        p.transport->pause_reading(); // so that nothing is told
        co_await p.peer.writer.write("hello");
        while (std::memcmp(p.protocol->room().data(), "hello", 5) != 0) co_await yield();
        co_await pass_by(70);
        EXPECT_EQ(p.protocol->calls, calls{"made"});
        EXPECT_EQ(p.protocol->asked, 1);
        p.transport->resume_reading();
        co_await p.protocol->has(5);
        EXPECT_EQ(p.protocol->data, "hello");
    });
}

TEST_P(BufferedProtocol, IsAskedOnceForEachLoad) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair(std::make_shared<buffering>(64));
        for (int i = 1; i <= 10; ++i) {
            co_await p.peer.writer.write("x");
            co_await p.protocol->has(static_cast<std::size_t>(i));
            co_await pass_by(70);
            EXPECT_EQ(p.protocol->asked, i + 1);
        }
    });
}

TEST_P(BufferedProtocol, OneThatPausesKeepsItsPlace) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair(std::make_shared<buffering>(4));
        p.protocol->on_data = [&] { p.transport->pause_reading(); };
        co_await p.peer.writer.write("12345678");
        co_await p.protocol->has(4);
        co_await pass_by(100);
        EXPECT_EQ(p.protocol->data, "1234");
        p.transport->resume_reading();
        co_await p.protocol->has(8);
        EXPECT_EQ(p.protocol->data, "12345678");
    });
}

TEST_P(BufferedProtocol, AnEmptyBufferIsARuntimeErrorThatEndsTheConnection) {
    run_io([this]() -> coro<> {
        auto p = co_await protocol_pair(std::make_shared<buffering>(0));
        co_await p.protocol->over.wait();
        EXPECT_TRUE(detail::exception_cast<runtime_error>(p.protocol->error));
        EXPECT_EQ(p.protocol->calls, (calls{"made", "lost"}));
        const auto told = reports.take();
        EXPECT_EQ(told.size(), 1u);
        EXPECT_TRUE(told.at(0).mentions("get_buffer()"));
    });
}

TEST_P(BufferedProtocol, WhatItsCallbacksThrowEndsTheConnection) {
    run_io([this]() -> coro<> {
        auto refuses = std::make_shared<buffering>();
        refuses->on_get = [] { throw value_error("no buffer"); };
        auto p = co_await protocol_pair(refuses);
        co_await refuses->over.wait();
        EXPECT_TRUE(detail::exception_cast<value_error>(refuses->error));
        auto chokes = std::make_shared<buffering>();
        chokes->on_data = [] { throw value_error("no more"); };
        auto q = co_await protocol_pair(chokes);
        co_await q.peer.writer.write("x");
        co_await chokes->over.wait();
        EXPECT_TRUE(detail::exception_cast<value_error>(chokes->error));
        EXPECT_EQ(reports.take().size(), 2u);
    });
}

TEST_P(BufferedProtocol, MayEndTheConnectionWhileItIsAsked) {
    for (const bool abort : {false, true}) {
        run_io([abort]() -> coro<> {
            auto closes = std::make_shared<buffering>();
            closes->on_get = [&] { abort ? closes->to->abort() : closes->to->close(); };
            auto p = co_await protocol_pair(closes);
            co_await closes->over.wait();
            EXPECT_EQ(closes->calls, (calls{"made", "lost"}));
            EXPECT_EQ(closes->error, nullptr);
        });
    }
}

TEST_P(BufferedProtocol, TheModeFollowsTheProtocol) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        auto second = std::make_shared<buffering>();
        co_await p.peer.writer.write("plain");
        co_await p.protocol->has(5);
        p.transport->set_protocol(second);
        co_await p.peer.writer.write("buffered");
        co_await second->has(8);
        auto third = std::make_shared<recorder>();
        p.transport->set_protocol(third);
        co_await p.peer.writer.write("plain again");
        co_await third->has(11);
        EXPECT_EQ(p.protocol->data + "/" + second->data + "/" + third->data, "plain/buffered/plain again");
    });
}

TEST_P(BufferedProtocol, WhatCameIntoTheBufferOfTheOneBeforeIsToldToTheNextOne) {
    run_io([]() -> coro<> {
        for (const bool buffered : {false, true}) {
            auto first = std::make_shared<buffering>(100);
            auto p = co_await protocol_pair(first);
            while (!first->lent) co_await yield();
            p.transport->pause_reading();
            co_await p.peer.writer.write("for the next");
            while (std::memcmp(first->room().data(), "for the next", 12) != 0) co_await yield();
            co_await pass_by(70);
            auto plain = std::make_shared<recorder>();
            auto second = std::make_shared<buffering>(5);
            if (buffered) p.transport->set_protocol(second);
            else p.transport->set_protocol(plain);
            p.transport->resume_reading();
            const auto got_all = [&] { return buffered ? second->has(12) : plain->has(12); };
            co_await got_all();
            EXPECT_EQ(buffered ? second->data : plain->data, "for the next");
            EXPECT_EQ(first->data, "");
        }
    });
}

TEST_P(BufferedProtocol, WhatComesWhileItIsTakenAwayIsNotLost) {
    run_io([]() -> coro<> {
        // The other side has sent before the switch; whether the kernel has filled the old buffer by then is its affair.
        for (int passes = 0; passes < 20; ++passes) {
            auto first = std::make_shared<buffering>(100);
            auto p = co_await protocol_pair(first);
            while (!first->lent) co_await yield();
            p.peer.writer.write_nowait("hello");
            co_await pass_by(passes % 5);
            auto second = std::make_shared<recorder>();
            p.transport->set_protocol(second);
            p.peer.writer.write_nowait(", world");
            co_await second->has(12 - first->data.size());
            EXPECT_EQ(first->data + second->data, "hello, world");
        }
    });
}

TEST_P(BufferedProtocol, IsKeptUntilTheKernelHasGivenItsBufferBack) {
    run_io([]() -> coro<> {
        auto first = std::make_shared<buffering>(100);
        std::weak_ptr<buffering> watched = first;
        auto p = co_await protocol_pair(first);
        while (!first->lent) co_await yield();
        auto second = std::make_shared<recorder>();
        p.transport->set_protocol(second);
        p.protocol.reset();
        first.reset();
        while (!watched.expired()) co_await yield(); // the address sanitizer sees a kernel that comes too late
        co_await p.peer.writer.write("hello");
        co_await second->has(5);
        EXPECT_EQ(second->data, "hello");
    });
}

TEST_P(BufferedProtocol, SwitchedWhileItIsAskedTheNextOneGetsTheData) {
    run_io([]() -> coro<> {
        auto first = std::make_shared<buffering>(100);
        auto second = std::make_shared<recorder>();
        first->on_get = [&] { first->to->set_protocol(second); };
        auto p = co_await protocol_pair(first);
        co_await p.peer.writer.write("hello");
        co_await second->has(5);
        EXPECT_EQ(second->data, "hello");
        EXPECT_EQ(first->data, "");
    });
}

TEST_P(BufferedProtocol, ReadsFromPipesToo) {
    run_io([this]() -> coro<> {
        const auto ends = world().pipe();
        auto [t, p] = co_await loop().connect_read_pipe([] { return std::make_shared<buffering>(64); }, ends[0]);
        EXPECT_EQ(world().write(ends[1], "hello"), 5);
        co_await p->has(5);
        world().close(ends[1]);
        co_await p->over.wait();
        EXPECT_EQ(p->data, "hello");
        EXPECT_EQ(p->calls, (calls{"made", "data", "eof", "lost"}));
    });
}

TEST_P(BufferedProtocol, ItsBufferIsFreeWhenTheConnectionIsLost) {
    run_io([]() -> coro<> {
        for (const bool abort : {false, true}) {
            auto p = co_await protocol_pair(std::make_shared<buffering>(100));
            while (!p.protocol->lent) co_await yield();
            if (abort) p.transport->abort();
            else p.transport->close();
            co_await p.protocol->over.wait();
            std::weak_ptr<buffering> watched = p.protocol;
            p.protocol.reset();
            EXPECT_TRUE(watched.expired());
        }
    });
}

TEST_P(BufferedProtocol, AnExitRequestEndsTheRunAndItIsAskedAgain) {
    auto p = std::make_shared<buffering>(16);
    bool exits = true;
    p->on_get = [&] {
        if (std::exchange(exits, false)) throw keyboard_interrupt();
    };
    std::optional<test::protocol_and_peer<buffering>> pair;
    const auto whole = [&]() -> coro<> {
        pair = co_await protocol_pair(p);
        co_await pass_by(200);
    };
    EXPECT_THROW(run(whole), keyboard_interrupt);
    EXPECT_FALSE(exits);
    loop().run_once(duration::zero());
    run_io([&]() -> coro<> {
        while (!pair) co_await yield();
        co_await pair->peer.writer.write("hello");
        co_await p->has(5);
    });
    EXPECT_EQ(p->data, "hello");
    pair.reset();
}

} // namespace
} // namespace rondo
