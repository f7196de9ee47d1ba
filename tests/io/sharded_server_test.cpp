// One port, a listener in every shard: run_sharded() with {.reuse_port = true}.
#include "support/loop_test.hpp"

#include <rondo/io/open_connection.hpp>
#include <rondo/io/server.hpp>
#include <rondo/io/stream_reader.hpp>
#include <rondo/io/stream_writer.hpp>
#include <rondo/sync/event.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run_sharded.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace rondo {
namespace {

/// Of the kernel: threads that share a port.
class ShardedServer : public testing::TestWithParam<backend_kind> {
protected:
    void SetUp() override {
        if (!test::make_loop(GetParam())) GTEST_SKIP() << "this kernel has no io_uring";
    }
    static sharded_options options() {
        return {.loop_factory = [] { return test::make_loop(GetParam()); }};
    }
};
RONDO_ON_EACH_BACKEND(ShardedServer);

// region shards
struct service {
    // Of shard 0: only there they are touched.
    event bound;
    std::uint16_t port = 0;
    std::size_t ready = 0;
    event all_ready;
    event enough;

    static coro<> echo(stream_reader reader, stream_writer writer) {
        while (auto line = co_await reader.read_line()) {
            co_await writer.write(std::to_string(this_shard().index()) + " " + line->str());
        }
    }

    coro<std::uint16_t> port_of_all() {
        co_await bound.wait();
        co_return port;
    }
    coro<> one_is_ready(std::size_t of) {
        if (++ready == of) all_ready.set();
        co_await enough.wait();
    }

    /// Shard 0 picks the port, the others ask it for that.
    coro<std::size_t> main(shard& self) {
        shard& first = self.peer(0);
        const bool picks = self.index() == 0;
        const std::uint16_t wanted = picks ? std::uint16_t{0} : co_await first.call([this] { return port_of_all(); });
        auto server = co_await start_server(echo, "127.0.0.1", wanted, {.reuse_port = true});
        if (picks) {
            port = server.port();
            bound.set();
            auto clients = create_task([this] { return talk(); });
            co_await one_is_ready(self.count());
            co_return co_await clients;
        }
        co_await first.call([this, n = self.count()] { return one_is_ready(n); });
        co_return 0;
    }
    coro<std::size_t> talk();
};
// endregion

/// The number of shards that have answered.
coro<std::size_t> service::talk() {
    co_await all_ready.wait();
    std::array<int, 4> answers{};
    for (int i = 0; i < 100; ++i) {
        auto [reader, writer] = co_await open_connection("127.0.0.1", port);
        co_await writer.write("hello\n");
        const std::string line = (co_await reader.read_line())->str();
        EXPECT_EQ(line.substr(1), " hello\n");
        ++answers.at(static_cast<std::size_t>(line.at(0) - '0'));
        writer.close();
        co_await writer.wait_closed();
    }
    EXPECT_EQ(std::accumulate(answers.begin(), answers.end(), 0), 100);
    enough.set();
    std::size_t shards = 0;
    for (const int n : answers) shards += n > 0;
    co_return shards;
}

TEST_P(ShardedServer, TheKernelSpreadsConnectionsOverTheShards) {
    service it;
    const std::vector<std::size_t> answered = run_sharded(4, [&](shard& self) { return it.main(self); }, options());
    EXPECT_GT(answered.at(0), 1U) << "of 100 connections, one each in 4 to the 99 would go to one shard";
}

} // namespace
} // namespace rondo
