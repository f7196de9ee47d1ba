// In the steady state a stream allocates nothing.
#include "io/io_test.hpp"
#include "support/operator_new.hpp"

namespace rondo {
namespace {

using test::connected_pair;
using test::pattern;

/// Of the kernel: the simulated world has allocations of its own.
class StreamAllocations : public test::io_test {};
RONDO_ON_EACH_BACKEND(StreamAllocations);

coro<> echo_forever(connection* c) {
    for (;;) {
        const bytes some = co_await c->reader.read(65536);
        if (some.empty()) co_return;
        co_await c->writer.write(some);
    }
}

coro<std::size_t> calls_in_round_trips(connection* c, std::string message, int rounds) {
    const std::size_t before = test::operator_new_calls();
    for (int i = 0; i < rounds; ++i) {
        co_await c->writer.write(message);
        static_cast<void>(co_await c->reader.read_exactly(message.size()));
    }
    co_return test::operator_new_calls() - before;
}

TEST_P(StreamAllocations, AnEchoRoundTripMakesNone) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        auto serving = create_task(echo_forever, &p.server);
        for (const std::size_t size : {std::size_t{64}, std::size_t{1024}, std::size_t{4000}}) {
            const std::string message = pattern(size);
            static_cast<void>(co_await calls_in_round_trips(&p.client, message, 500)); // warm
            EXPECT_EQ(co_await calls_in_round_trips(&p.client, message, 500), 0u) << size;
        }
        p.client.writer.close();
        co_await serving;
    });
}

TEST_P(StreamAllocations, ALineMakesNone) {
    RONDO_SKIP_UNLESS_NEW_IS_COUNTED();
    run_io([]() -> coro<> {
        auto p = co_await connected_pair();
        for (int round = 0; round < 2; ++round) {
            const std::size_t before = test::operator_new_calls();
            for (int i = 0; i < 500; ++i) {
                co_await p.client.writer.write("a line of the usual length\n");
                static_cast<void>(co_await p.server.reader.read_line());
            }
            if (round == 1) {
                EXPECT_EQ(test::operator_new_calls() - before, 0u);
            }
        }
    });
}

} // namespace
} // namespace rondo
