// Hosts of a simulated world: addresses, programs, crashes.
#include <rondo/sim/host.hpp>

#include <rondo/rondo.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "sim/awaits/swept.hpp"
#include "sim/host_state.hpp"
#include "sim/plain_world.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using rondo::coro;
using rondo::stream_reader;
using rondo::stream_writer;
using rondo::sim::host;
using rondo::sim::world;
using rondo::test::error_of;
using rondo::test::in_a_plain_world;

coro<> echo(stream_reader reader, stream_writer writer) {
    try {
        while (auto line = co_await reader.read_line()) co_await writer.write(*line);
    } catch (const std::system_error&) { // the client has crashed
    }
}

coro<> serve_echo() {
    auto server = co_await rondo::start_server(echo, "0.0.0.0", 7);
    co_await server.serve_forever();
}

coro<std::string> ask(std::string where, std::string question) {
    auto [reader, writer] = co_await rondo::open_connection(where, 7);
    co_await writer.write(question + "\n");
    const auto answer = co_await reader.read_line();
    co_return answer ? answer->str() : "";
}

RONDO_SIM_TEST(Hosts, ReachEachOtherByAddressAndByName, {.schedules = 200}) {
    host& store = world().add_host("store", "10.0.0.2");
    host& client = world().add_host("client");
    EXPECT_EQ(store.ip(), "10.0.0.2");
    EXPECT_NE(client.ip(), store.ip());
    store.start(serve_echo);
    co_await rondo::sleep(1s);
    EXPECT_EQ(co_await client.run(ask("10.0.0.2", "by address")), "by address\n");
    EXPECT_EQ(co_await client.run(ask("store", "by name")), "by name\n");
    EXPECT_EQ(co_await ask("store", "from the host of the body"), "from the host of the body\n");
}

TEST(Hosts, OpenTheirSocketsAtTheirOwnAddresses) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store", {"10.0.0.2", "2001:db8::2"});
        host& client = world().add_host("client", "10.0.0.3");
        std::vector<rondo::address> peers;
        store.start([&]() -> coro<> {
            auto server = co_await rondo::start_server(
                [&](stream_reader, stream_writer writer) { peers.push_back(writer.peer_address()); }, {"0.0.0.0", "::"},
                7);
            co_await server.serve_forever();
        });
        co_await rondo::sleep(1s);
        auto far = co_await client.run(rondo::open_connection("10.0.0.2", 7));
        auto near = co_await store.run(rondo::open_connection("127.0.0.1", 7));
        auto body = co_await rondo::open_connection("2001:db8::2", 7);
        co_await rondo::sleep(1s);
        EXPECT_EQ(far.writer.local_address().ip(), "10.0.0.3");
        EXPECT_EQ(peers.size(), 3U);
        EXPECT_EQ(peers.at(0).ip(), "10.0.0.3");
        EXPECT_EQ(peers.at(1).ip(), "127.0.0.1");
        EXPECT_EQ(peers.at(2), body.writer.local_address());
    });
}

TEST(Hosts, HaveLoopbacksPortsAndSocketFilesOfTheirOwn) {
    in_a_plain_world([]() -> coro<> {
        host& first = world().add_host("first");
        host& second = world().add_host("second");
        const auto listen = [] { return rondo::start_server(echo, "127.0.0.1", 7); };
        const auto listen_at_path = [] { return rondo::start_unix_server(echo, "/run/echo.sock"); };
        auto one = co_await first.run(listen());
        auto other = co_await second.run(listen());
        auto by_path = co_await first.run(listen_at_path());
        auto other_by_path = co_await second.run(listen_at_path());
        EXPECT_EQ(co_await first.run(ask("127.0.0.1", "mine")), "mine\n");
        EXPECT_EQ(co_await error_of(rondo::open_connection("127.0.0.1", 7)), std::errc::connection_refused);
        EXPECT_EQ(co_await error_of(second.run(rondo::open_connection(first.ip(), 7))), std::errc::connection_refused);
        EXPECT_EQ(co_await error_of(first.run(rondo::start_server(echo, second.ip(), 0))),
                  std::errc::address_not_available);
    });
}

TEST(Hosts, ATaskIsOnTheHostOfTheOneThatMadeIt) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        EXPECT_EQ(&rondo::sim::this_host(), &world().body_host());
        EXPECT_EQ(&world().find_host("store"), &store);
        EXPECT_THROW(world().find_host("nobody"), rondo::lookup_error);
        std::vector<std::string> where;
        const auto note = [&] { where.push_back(rondo::sim::this_host().name()); };
        co_await store.run([](std::function<void()> here) -> coro<> {
            here();
            co_await rondo::create_task([here]() -> coro<> {
                co_await rondo::yield();
                here();
            });
            rondo::running_loop().call_later(1s, here);
            co_await rondo::sleep(2s);
            co_await rondo::to_thread(here);
        }(note));
        note();
        EXPECT_EQ(where, (std::vector<std::string>{"store", "store", "store", "store", "body"}));
    });
}

TEST(Hosts, NamesAndAddressesAreTakenOnce) {
    in_a_plain_world([]() -> coro<> {
        world().add_host("store", "10.0.0.2");
        EXPECT_THROW(world().add_host("store"), rondo::value_error);
        EXPECT_THROW(world().add_host("body"), rondo::value_error);
        EXPECT_THROW(world().add_host("other", "10.0.0.2"), rondo::value_error);
        EXPECT_THROW(world().add_host("other", "127.0.0.1"), rondo::value_error);
        EXPECT_THROW(world().add_host("other", "not an address"), rondo::value_error);
        co_return;
    });
}

TEST(Hosts, WhatAProgramThrowsIsReported) {
    const auto outcome = rondo::sim::run({}, []() -> coro<> {
        world().add_host("store").start([]() -> coro<> {
            co_await rondo::yield();
            throw std::runtime_error("out of paper");
        });
        co_await rondo::sleep(1s);
    });
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, rondo::sim::failure_kind::report);
    EXPECT_NE(outcome.failure->message.find("out of paper"), std::string::npos);
}

RONDO_SIM_TEST(Hosts, AreSwitchedOffAtTheEndOfTheBody, {.schedules = 100}) {
    host& store = world().add_host("store");
    store.start(serve_echo);
    co_await rondo::sleep(1s);
    auto kept = co_await rondo::open_connection(store.ip(), 7);
    static_cast<void>(store.spawn([]() -> coro<> { co_await rondo::sleep_forever(); }()));
    store.spawn([]() -> coro<> { co_await rondo::sleep(10 * 24h); }());
}

// Crashing

struct traces {
    bool caught = false;
    bool cleaned = false;
    bool destroyed = false;
};
coro<> leaves_traces(traces* of) {
    struct guard {
        traces* of;
        ~guard() { of->destroyed = true; }
    } here{of};
    try {
        co_await rondo::finally(rondo::sleep_forever(), [of]() -> coro<> {
            of->cleaned = true;
            co_return;
        });
    } catch (...) {
        of->caught = true;
        throw;
    }
}

TEST(Crash, RunsDestructorsAndNothingElse) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        traces left;
        store.start([&] { return leaves_traces(&left); });
        co_await rondo::sleep(1s);
        store.crash();
        EXPECT_FALSE(store.is_up());
        EXPECT_FALSE(left.destroyed); // before the next pass
        co_await rondo::yield();
        EXPECT_TRUE(left.destroyed);
        EXPECT_FALSE(left.caught);
        EXPECT_FALSE(left.cleaned);
    });
}

TEST(Crash, IsToldToThoseWhoWaitForTheHost) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        auto waiting = rondo::create_task(store.run([]() -> coro<> { co_await rondo::sleep_forever(); }()));
        co_await rondo::sleep(1s);
        store.crash();
        store.crash();
        auto outcome = co_await rondo::as_result(waiting);
        EXPECT_THROW(std::rethrow_exception(outcome.error()), rondo::sim::host_down_error);
        EXPECT_THROW(store.start(serve_echo), rondo::sim::host_down_error);
        EXPECT_THROW(static_cast<void>(store.spawn(serve_echo())), rondo::sim::host_down_error);
        EXPECT_THROW(world().body_host().crash(), rondo::runtime_error);
    });
}

TEST(Crash, ByATaskOfTheHostItselfEndsItAtItsNextSuspension) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        int steps = 0;
        store.start([&]() -> coro<> {
            ++steps;
            rondo::sim::this_host().crash();
            ++steps;
            EXPECT_EQ(co_await error_of(rondo::open_connection("10.0.0.1", 80)), std::errc::network_down);
            co_await rondo::yield();
            ++steps;
        });
        co_await rondo::sleep(1s);
        EXPECT_EQ(steps, 2);
    });
}

TEST(Crash, ForgetsTimersAndCallbacks) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        int calls = 0;
        co_await store.run([](int* count) -> coro<> {
            rondo::running_loop().call_later(1h, [count] { ++*count; });
            rondo::running_loop().call_later(1s, [count] { ++*count; });
            co_return;
        }(&calls));
        co_await rondo::sleep(10s);
        store.crash();
        co_await rondo::sleep(2h);
        EXPECT_EQ(calls, 1);
    });
}

TEST(Crash, AHostThatIsDownDoesNotAnswerAConnect) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        store.crash();
        const auto before = rondo::clock::now();
        EXPECT_EQ(co_await error_of(ask("store", "anybody?")), std::errc::timed_out);
        EXPECT_EQ(rondo::clock::now() - before, 127s);
        EXPECT_EQ(co_await error_of(rondo::open_connection("10.99.0.1", 7)), std::errc::host_unreachable);
    });
}

TEST(Crash, IsSilentUntilTheHostIsBackAndKnowsNothing) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        store.start(serve_echo);
        co_await rondo::sleep(1s);
        auto [reader, writer] = co_await rondo::open_connection(store.ip(), 7);
        store.crash();
        const auto nothing = co_await rondo::move_on_after(1h, reader.read_line());
        EXPECT_FALSE(nothing);
        co_await writer.write("are you there?\n"); // the kernel takes it
        store.restart();
        EXPECT_TRUE(store.is_up());
        EXPECT_EQ(co_await error_of(reader.read_line()), std::errc::connection_reset);
        EXPECT_EQ(co_await ask("store", "and now?"), "and now?\n");
    });
}

TEST(Crash, WhoGoesOnSendingGivesUpAfterAQuarterOfAnHour) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        store.start(serve_echo);
        co_await rondo::sleep(1s);
        auto [reader, writer] = co_await rondo::open_connection(store.ip(), 7);
        store.crash();
        co_await writer.write("are you there?\n");
        const auto before = rondo::clock::now();
        EXPECT_EQ(co_await error_of(reader.read_line()), std::errc::timed_out);
        EXPECT_EQ(rondo::clock::now() - before, 924600ms); // tcp(7): tcp_retries2
    });
}

TEST(Crash, WhatWasOnItsWayStillArrives) {
    in_a_plain_world([]() -> coro<> {
        host& store = world().add_host("store");
        world().set_latency(store, world().body_host(), 1s);
        store.start([]() -> coro<> {
            auto server = co_await rondo::start_server(
                [](stream_reader, stream_writer writer) -> coro<> {
                    co_await writer.write("the last words\n");
                    co_await rondo::sleep_forever();
                },
                "0.0.0.0", 7);
            co_await server.serve_forever();
        });
        co_await rondo::sleep(1s);
        auto [reader, writer] = co_await rondo::open_connection(store.ip(), 7);
        co_await rondo::sleep(500ms);
        store.crash();
        EXPECT_EQ((co_await reader.read_line())->view(), "the last words\n");
        EXPECT_FALSE(co_await rondo::move_on_after(1h, reader.read_line()));
    });
}

/// Everything that the library lets a task wait for, on a host that crashes at some time.
coro<> waits_for_all_there_is(std::string peer) {
    rondo::lock lock("shared");
    rondo::event event;
    rondo::queue<int> queue(1);
    rondo::semaphore permits(1);
    rondo::condition changed;
    auto server = co_await rondo::start_server(echo, "0.0.0.0", 9);
    auto local = co_await rondo::start_unix_server(
        [](stream_reader, stream_writer) -> coro<> { co_await rondo::sleep_forever(); }, "/run/local.sock",
        {.limit = 1000});
    auto connection = co_await rondo::open_connection(peer, 7);
    auto socket = co_await rondo::running_loop().create_datagram_endpoint(
        [] { return std::make_shared<rondo::datagram_protocol>(); }, {.local_address = rondo::address("0.0.0.0", 53)});
    co_await rondo::task_group::run([&](rondo::task_group& group) -> coro<> {
        group.create_task([&]() -> coro<> {
            for (;;) {
                auto held = co_await lock.scoped_lock();
                co_await rondo::sleep(10ms);
            }
        });
        group.create_task([&]() -> coro<> {
            auto held = co_await lock.scoped_lock();
            co_await event.wait();
        });
        group.create_task([&]() -> coro<> {
            for (int i = 0;; ++i) co_await queue.put(i);
        });
        group.create_task([&]() -> coro<> {
            auto permit = co_await permits.scoped_acquire();
            co_await rondo::gather(rondo::sleep(1h), rondo::shield(rondo::sleep(2h)), event.wait());
        });
        group.create_task([&]() -> coro<> { auto permit = co_await permits.scoped_acquire(); });
        group.create_task([&]() -> coro<> {
            auto held = co_await changed.scoped_lock();
            co_await changed.wait();
        });
        group.create_task([&]() -> coro<> {
            for (;;) {
                co_await connection.writer.write("hello\n");
                static_cast<void>(co_await rondo::timeout(1h, connection.reader.read_line()));
                static_cast<void>(co_await queue.get());
                co_await rondo::sleep(1ms);
            }
        });
        group.create_task([&]() -> coro<> {
            for (;; co_await rondo::sleep(1ms)) co_await rondo::to_thread([] {});
        });
        group.create_task([&]() -> coro<> {
            for (;; co_await rondo::sleep(1ms)) {
                try {
                    static_cast<void>(co_await rondo::running_loop().getaddrinfo("store", "80"));
                } catch (const std::system_error&) {}
            }
        });
        group.create_task([&]() -> coro<> {
            co_await rondo::aclosing(rondo::interval(1ms), [](auto& ticks) -> coro<> {
                for (;;) co_await ticks.next();
            });
        });
        group.create_task([&]() -> coro<> {
            auto own = co_await rondo::open_unix_connection("/run/local.sock");
            co_await own.writer.write(std::string(200'000, 'x')); // which nobody reads
        });
        co_await event.wait();
    });
}

RONDO_SIM_TEST(Crash, MayComeAtAnyTime, {.schedules = 600, .faults = {.names = true}}) {
    host& store = world().add_host("store");
    host& worker = world().add_host("worker");
    store.start(serve_echo);
    co_await rondo::sleep(1s);
    worker.start([&]() -> coro<> {
        try {
            co_await waits_for_all_there_is(store.ip());
        } catch (const std::system_error&) { // the store is down
        } catch (const rondo::exception_group&) {}
    });
    for (int times = 0; times < 2; ++times) {
        for (std::uint32_t passes = rondo::sim::choose(60, "when the worker crashes"); passes > 0; --passes)
            co_await rondo::yield();
        co_await rondo::sleep(std::chrono::milliseconds(rondo::sim::choose(100, "and how much later")));
        if (rondo::sim::perhaps("both crash")) store.crash();
        worker.restart();
        if (!store.is_up()) store.restart();
    }
    worker.crash();
    co_await rondo::sleep(10s);
    EXPECT_EQ(co_await ask(store.ip(), "is all well?"), "is all well?\n");
}

coro<> is_restarted_and_asked() {
    host& store = world().add_host("store");
    host& client = world().add_host("client");
    store.start(serve_echo);
    co_await rondo::sleep(1s);
    auto kept = co_await client.run(rondo::open_connection(store.ip(), 7));
    store.restart();
    co_await rondo::sleep(1s);
    static_cast<void>(co_await rondo::timeout(1min, client.run(ask("store", "and now?"))));
}

TEST(Hosts, LeaveNothingBehindWhoeverIsCancelledAndWhateverFails) { rondo::test::expect_swept(is_restarted_and_asked); }

// What other parts of the world keep for a host

struct disk final : rondo::sim::detail::host_part {
    explicit disk(rondo::sim::detail::host_state&) {}
    void crashed() noexcept override { cached.clear(); }
    void restarted() override { ++boots; }
    std::string cached;
    std::string durable;
    int boots = 0;
};

TEST(HostParts, HearOfCrashesAndRestartsAndBelongToOneHost) {
    in_a_plain_world([]() -> coro<> {
        const auto disk_of = [](host& h) -> disk& {
            return static_cast<rondo::sim::detail::host_state&>(h).part<disk>();
        };
        host& store = world().add_host("store");
        disk_of(store).cached = disk_of(store).durable = "written";
        disk_of(world().body_host()).cached = "mine";
        store.crash();
        store.restart();
        EXPECT_EQ(disk_of(store).cached, "");
        EXPECT_EQ(disk_of(store).durable, "written");
        EXPECT_EQ(disk_of(store).boots, 1);
        EXPECT_EQ(disk_of(world().body_host()).cached, "mine");
        co_return;
    });
}

} // namespace
