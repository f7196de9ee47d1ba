// The network between simulated hosts: partitions, latency, and what TCP makes of them.
#include <rondo/rondo.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>

#include "sim/plain_world.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::stream_reader;
using rondo::stream_writer;
using rondo::sim::host;
using rondo::sim::world;
using rondo::test::error_of;
using rondo::test::in_a_plain_world;

/// Two ends of a connection: the body's, and one on the host `store`.
struct two_ends {
    rondo::connection ours;
    rondo::connection theirs;
};
coro<two_ends> connected_to(host& store) {
    rondo::queue<rondo::connection> accepted(10);
    auto server = co_await store.run(rondo::start_server(
        [&](stream_reader r, stream_writer w) { accepted.put_nowait({std::move(r), std::move(w)}); }, "0.0.0.0", 7));
    auto ours = co_await rondo::open_connection(store.ip(), 7);
    auto theirs = co_await accepted.get();
    co_return two_ends{std::move(ours), std::move(theirs)};
}

TEST(Partition, WhatIsSentMeanwhileArrivesAfterHealing) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        auto [ours, theirs] = co_await connected_to(store);
        world().partition(store, world().body_host());
        co_await ours.writer.write("one\n");
        co_await ours.writer.write("two\n");
        ours.writer.write_eof();
        EXPECT_FALSE(co_await rondo::move_on_after(1min, theirs.reader.read_line()));
        world().heal();
        const auto healed = rondo::clock::now();
        EXPECT_EQ((co_await theirs.reader.read_line())->view(), "one\n");
        EXPECT_EQ((co_await theirs.reader.read_line())->view(), "two\n");
        EXPECT_FALSE(co_await theirs.reader.read_line());
        EXPECT_GT(rondo::clock::now(), healed); // with the next attempt, and each is later than the one before
        EXPECT_LE(rondo::clock::now() - healed, 1min);
    });
}

TEST(Partition, WhatWasUnderWayIsSentAgain) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        auto [ours, theirs] = co_await connected_to(store);
        world().set_latency(store, world().body_host(), 1s);
        co_await ours.writer.write("one\n");
        co_await rondo::sleep(500ms);
        world().partition(store, world().body_host());
        co_await rondo::sleep(10s);
        world().heal(store, world().body_host());
        co_await ours.writer.write("two\n");
        EXPECT_EQ((co_await theirs.reader.read_line())->view(), "one\n");
        EXPECT_EQ((co_await theirs.reader.read_line())->view(), "two\n");
    });
}

TEST(Partition, EndsConnectionsThatHaveSomethingToSayAfterAQuarterOfAnHour) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        auto [ours, theirs] = co_await connected_to(store);
        world().partition(store, world().body_host());
        co_await ours.writer.write("hello\n");
        const auto before = rondo::clock::now();
        EXPECT_EQ(co_await error_of(ours.reader.read_line()), std::errc::timed_out);
        EXPECT_EQ(rondo::clock::now() - before, 924600ms);
        world().heal();
        // The other side has heard nothing of that, until it speaks.
        EXPECT_FALSE(co_await rondo::move_on_after(1h, theirs.reader.read_line()));
        co_await theirs.writer.write("are you there?\n");
        EXPECT_EQ(co_await error_of(theirs.reader.read_line()), std::errc::connection_reset);
    });
}

TEST(Partition, IsNoticedByAWriterThatWaitsForRoom) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        auto [ours, theirs] = co_await connected_to(store);
        auto writing = rondo::create_task([&]() -> coro<> { co_await ours.writer.write(std::string(1'000'000, 'x')); });
        co_await rondo::sim::wait_all_tasks_blocked();
        world().partition(store, world().body_host());
        EXPECT_EQ(co_await error_of(std::move(writing)), std::errc::timed_out);
        world().heal();
    });
}

TEST(Partition, OfOneWayLetsTheOtherWayThrough) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        auto [ours, theirs] = co_await connected_to(store);
        world().partition_one_way(world().body_host(), store);
        co_await ours.writer.write("from us\n");
        co_await theirs.writer.write("from them\n");
        EXPECT_EQ((co_await ours.reader.read_line())->view(), "from them\n");
        EXPECT_FALSE(co_await rondo::move_on_after(1min, theirs.reader.read_line()));
        // What they have said was heard, and they were never told.
        EXPECT_EQ(co_await error_of(theirs.reader.read_line()), std::errc::timed_out);
        world().heal();
    });
}

TEST(Partition, ConnectingGoesOnAsSoonAsItIsHealed) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        auto server = co_await store.run(rondo::start_server([](stream_reader, stream_writer) {}, "0.0.0.0", 7));
        world().partition(store, world().body_host());
        const auto before = rondo::clock::now();
        EXPECT_EQ(co_await error_of(rondo::open_connection(store.ip(), 7)), std::errc::timed_out);
        EXPECT_EQ(rondo::clock::now() - before, 127s);
        auto connecting = rondo::create_task(rondo::open_connection(store.ip(), 7));
        co_await rondo::sleep(5s);
        world().heal();
        co_await connecting;
        EXPECT_EQ(rondo::clock::now() - before, 127s + 7s); // 1 + 2 + 4
    });
}

TEST(Partition, AnEndThatWasLostIsToldAfterHealingAlsoOfAConnectionThatIsClosed) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        std::optional<two_ends> both = co_await connected_to(store);
        world().partition(store, world().body_host());
        co_await both->ours.writer.write("goodbye\n");
        both->ours.writer.close();
        co_await rondo::sleep(10s);
        world().heal();
        EXPECT_EQ((co_await both->theirs.reader.read_line())->view(), "goodbye\n");
        EXPECT_FALSE(co_await both->theirs.reader.read_line());
        co_await both->theirs.writer.write("too late\n");
        EXPECT_EQ(co_await error_of(both->theirs.writer.drain()), std::error_code());
    });
}

TEST(Latency, CountsInBothDirectionsAndForTheHandshake) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        world().set_latency(store, world().body_host(), 20ms);
        EXPECT_THROW(world().set_latency(store, world().body_host(), -1ms), rondo::value_error);
        const auto before = rondo::clock::now();
        auto [ours, theirs] = co_await connected_to(store);
        EXPECT_EQ(rondo::clock::now() - before, 40ms);
        co_await ours.writer.write("ping\n");
        static_cast<void>(co_await theirs.reader.read_line());
        co_await theirs.writer.write("pong\n");
        static_cast<void>(co_await ours.reader.read_line());
        EXPECT_EQ(rondo::clock::now() - before, 80ms);
    });
}

constexpr std::size_t size = 3000;

RONDO_SIM_TEST(Partition, LosesAndReordersNoByteOfATcpConnection, {.schedules = 400}) {
    host& store = world().add_host("store");
    auto [ours, theirs] = co_await connected_to(store);
    co_await rondo::task_group::run([&](rondo::task_group& group) -> coro<> {
        const auto say = [](stream_writer* to) -> coro<> {
            for (std::size_t i = 0; i < size; i += 100) {
                co_await to->write(std::string(100, static_cast<char>('a' + i / 100 % 26)));
                co_await rondo::sim::hesitate("between two writes");
            }
            to->write_eof();
        };
        const auto hear = [](stream_reader* from) -> coro<> {
            const auto all = co_await from->read_all();
            EXPECT_EQ(all.size(), size);
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (all.view()[i] != static_cast<char>('a' + i / 100 % 26)) {
                    ADD_FAILURE() << "another byte at " << i;
                    break;
                }
            }
        };
        group.create_task(say, &ours.writer);
        group.create_task(say, &theirs.writer);
        group.create_task(hear, &ours.reader);
        group.create_task(hear, &theirs.reader);
        for (int i = 0; i < 3; ++i) {
            co_await rondo::sleep(std::chrono::milliseconds(rondo::sim::choose(2000, "until a cable is cut")));
            switch (rondo::sim::choose(3, "which cable")) {
            case 1: world().partition(store, world().body_host()); break;
            case 2: world().partition_one_way(store, world().body_host()); break;
            default: break;
            }
            co_await rondo::sleep(std::chrono::seconds(rondo::sim::choose(60, "until it is mended")));
            world().heal();
        }
    });
}

} // namespace
