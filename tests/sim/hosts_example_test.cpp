// A service on a host that is cut off and crashes, and a client that does not give up: the example of docs/simulation.md.
#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>
#include <rondo/task/retry.hpp>
#include <rondo/task/sleep.hpp>
#include <rondo/task/task_group.hpp>
#include <rondo/task/timeout.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <system_error>

namespace {

using namespace std::chrono_literals;
using rondo::sim::host;
using rondo::sim::world;

// region ledger
struct ledger { // on the disk of its host
    std::set<int> known;
    int balance = 0;

    void enter(int order) {
        if (known.insert(order).second) ++balance;
    }
};

rondo::coro<> serve(std::function<void(int)> enter) {
    auto server = co_await rondo::start_server(
        [enter](rondo::stream_reader reader, rondo::stream_writer writer) -> rondo::coro<> {
            try {
                while (auto line = co_await reader.read_line()) {
                    enter(std::stoi(line->str()));
                    if (rondo::sim::perhaps("the power fails before the answer")) rondo::sim::this_host().crash();
                    co_await writer.write(*line);
                }
            } catch (const std::system_error&) { // the client asks again
            }
        },
        "0.0.0.0", 7000);
    co_await server.serve_forever();
}

rondo::coro<> order(int number) {
    co_await rondo::retry({.attempts = 1000, .maximum = 10s}, [number] {
        return rondo::timeout(5s, [](int n) -> rondo::coro<> {
            auto [reader, writer] = co_await rondo::open_connection("store", 7000);
            co_await writer.write(std::to_string(n) + "\n");
            if (!co_await reader.read_line()) throw std::runtime_error("no answer");
        }(number));
    });
}
// endregion

// region trouble
rondo::coro<> trouble(host& store, host& client) {
    for (int i = 0; i < 3; ++i) {
        co_await rondo::sleep(std::chrono::milliseconds(rondo::sim::choose(3000, "until there is trouble")));
        switch (rondo::sim::choose(4, "what trouble")) {
        case 1: world().partition(client, store); break;
        case 2: world().partition_one_way(store, client); break;
        case 3: store.crash(); break;
        default: break;
        }
        co_await rondo::sleep(std::chrono::seconds(rondo::sim::choose(30, "how long it lasts")));
        world().heal();
    }
}

rondo::coro<> keep_up(host& store) {
    for (;; co_await rondo::sleep(5s)) {
        if (!store.is_up()) store.restart();
    }
}

rondo::coro<> the_books_balance(std::function<void(int)> enter, const int& balance) {
    host& store = world().add_host("store");
    host& client = world().add_host("client");
    store.start([=] { return serve(enter); });
    constexpr int orders = 5;
    co_await rondo::task_group::run([&](rondo::task_group& group) -> rondo::coro<> {
        group.create_task(trouble(store, client));
        auto keeper = group.create_task(keep_up(store));
        co_await rondo::sleep(10ms); // the store is up
        for (int n = 1; n <= orders; ++n) co_await client.run(order(n));
        keeper.cancel();
    });
    EXPECT_EQ(balance, orders);
}

RONDO_SIM_TEST(Ledger, BalancesWhateverTheNetworkDoes, {.schedules = 1000}) {
    ledger books;
    co_await the_books_balance([&](int n) { books.enter(n); }, books.balance);
}
// endregion

TEST(Ledger, ThatDoesNotKnowAnOrderAgainIsFound) {
    const auto found = rondo::sim::explore_expectations({.schedules = 1500}, []() -> rondo::coro<> {
        int balance = 0;
        co_await the_books_balance([&](int) { ++balance; }, balance);
    });
    ASSERT_TRUE(found.counter_example);
    EXPECT_LE(found.counter_example->deviations.size(), 3U);
    EXPECT_THAT(found.counter_example->str(), testing::HasSubstr("the power fails before the answer"));
}

} // namespace
