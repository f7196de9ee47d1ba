// A server when there are no descriptors left.
#include "io/io_test.hpp"

#include "io/raw_client.hpp"
#include "support/manual_clock.hpp"
#include "support/operator_new.hpp"

#include <sys/resource.h>

#include <cerrno>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

/// What the test turns on and off.
struct shortage : test::manual_clock::hand {
    int error = 0; // of every accept
    int refused = 0;
};

class short_of_descriptors final : public test::manual_clock {
public:
    short_of_descriptors(std::unique_ptr<detail::backend> real, shortage& s)
        : manual_clock(std::move(real), s), shortage_(s) {}
    bool submit(detail::operation& op) noexcept override {
        if (op.kind != detail::operation_kind::accept || shortage_.error == 0) return manual_clock::submit(op);
        ++shortage_.refused;
        op.result = -shortage_.error;
        return true;
    }

private:
    shortage& shortage_;
};

/// Of the kernel: clients in which the loop has no part.
class ServerAccepting : public test::io_test {
protected:
    std::unique_ptr<event_loop> new_loop(backend_kind kind) override {
        return test::make_loop<short_of_descriptors>(kind, world);
    }
    shortage world;
};
RONDO_ON_EACH_BACKEND(ServerAccepting);

TEST_P(ServerAccepting, OutOfDescriptorsPausesForASecondAndRecovers) {
    run_io([this]() -> coro<> {
        for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
            int served = 0;
            auto s = co_await start_server([&](stream_reader, stream_writer) { ++served; }, "127.0.0.1", 0,
                                           {.start_serving = false});
            world.error = error;
            world.refused = 0;
            co_await s.start_serving();
            const test::raw_client client;
            EXPECT_TRUE(client.connect(s.port()));
            co_await pass_by(10);
            const auto told = reports.take();
            EXPECT_EQ(told.size(), 1u);
            EXPECT_TRUE(told[0].mentions("accepting connections on " + s.addresses()[0].str() +
                                         " failed; trying again in a second"));
            EXPECT_TRUE(told[0].holds<std::system_error>());
            EXPECT_EQ(world.refused, 1);

            world.moved += 1s; // and again in vain
            co_await pass_by(10);
            EXPECT_EQ(world.refused, 2);
            EXPECT_EQ(reports.take().size(), 1u);

            world.error = 0;
            world.moved += 999ms;
            co_await pass_by(70);
            EXPECT_EQ(served, 0);
            world.moved += 1ms;
            while (served == 0) co_await yield();
        }
    });
}

TEST_P(ServerAccepting, AConnectionThatFailsBeforeItIsAcceptedIsPassedOver) {
    run_io([this]() -> coro<> {
        int served = 0;
        auto s = co_await start_server([&](stream_reader, stream_writer) { ++served; }, "127.0.0.1", 0,
                                       {.start_serving = false});
        world.error = ECONNABORTED;
        co_await s.start_serving();
        world.error = 0;
        const test::raw_client client;
        EXPECT_TRUE(client.connect(s.port()));
        while (served == 0) co_await yield();
    });
}

TEST_P(ServerAccepting, ClosedDuringThePauseIsClosed) {
    run_io([this]() -> coro<> {
        auto s = co_await start_server([](stream_reader, stream_writer) {}, "127.0.0.1", 0, {.start_serving = false});
        world.error = EMFILE;
        co_await s.start_serving();
        s.close();
        co_await s.wait_closed();
        world.moved += 10s;
        co_await pass_by(10);
        EXPECT_EQ(world.refused, 1);
        EXPECT_EQ(reports.take().size(), 1u);
    });
}

TEST_P(ServerAccepting, TheKernelsOwnShortageIsReportedOnce) {
    if (!test::counts_operator_new()) GTEST_SKIP() << "a sanitizer's runtime needs descriptors of its own";
    run_io([this]() -> coro<> {
        int served = 0;
        auto s = co_await start_server([&](stream_reader, stream_writer) { ++served; }, "127.0.0.1", 0);
        const test::raw_client client;
        co_await pass_by(70);
        ::rlimit before{};
        ::getrlimit(RLIMIT_NOFILE, &before);
        ::rlimit none = before;
        const int next = ::dup(client.fd());
        ::close(next);
        none.rlim_cur = static_cast<::rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &none);
        EXPECT_TRUE(client.connect(s.port()));
        while (reports.count() == 0) co_await yield();
        co_await pass_by(140); // the other accepts that were in flight fail as well
        ::setrlimit(RLIMIT_NOFILE, &before);
        EXPECT_EQ(reports.take().size(), 1u);
        world.moved += 1s;
        while (served == 0) co_await yield();
    });
}

} // namespace
} // namespace rondo
