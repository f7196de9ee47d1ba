// Transports and protocols: what a protocol is told, in which order, and what a transport does.
#include "io/protocol_kit.hpp"

namespace rondo {
namespace {

using test::calls;
using test::pass_by;
using test::pattern;
using test::protocol_pair;
using test::recorder;

class Transport : public test::io_test {};
RONDO_IN_EACH_WORLD(Transport);

// More than the kernel's buffers of both ends of a loopback connection hold.
constexpr std::size_t more_than_the_kernel_takes = 64'000'000;

TEST_P(Transport, TellsOfTheConnectionThenOfDataThenOfTheEndThenThatItIsLost) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        EXPECT_EQ(p.protocol->calls, calls{"made"}); // create_connection() returns after connection_made()
        EXPECT_EQ(p.protocol->to, p.transport.get());
        co_await p.peer.writer.write("hello");
        p.peer.writer.write_eof();
        co_await p.protocol->over.wait();
        EXPECT_EQ(p.protocol->calls, (calls{"made", "data", "eof", "lost"}));
        EXPECT_EQ(p.protocol->data, "hello");
        EXPECT_EQ(p.protocol->error, nullptr);
        EXPECT_EQ((co_await p.peer.reader.read_all()).str(), "");
    });
}

TEST_P(Transport, DataComesWholeAndInOrder) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        const std::string sent = pattern(3'000'000);
        co_await p.peer.writer.write(sent);
        co_await p.peer.writer.aclose();
        co_await p.protocol->over.wait();
        EXPECT_TRUE(p.protocol->data == sent);
    });
}

TEST_P(Transport, WhatIsWrittenArrivesWholeAndInOrder) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        const std::string sent = pattern(3'000'000);
        p.transport->write("first ");
        const std::vector<bytes_view> pieces{"second ", "", "third "};
        p.transport->writelines(pieces);
        p.transport->write("");
        p.transport->write(sent);
        p.transport->close();
        EXPECT_TRUE((co_await p.peer.reader.read_all()).str() == "first second third " + sent);
    });
}

TEST_P(Transport, NothingIsToldFromWithinACall) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        co_await p.peer.writer.write("hello");
        co_await pass_by(70);
        p.protocol->inside = true;
        p.transport->pause_reading();
        p.transport->resume_reading();
        p.transport->write("x");
        p.transport->close();
        p.transport->abort();
        p.protocol->inside = false;
        EXPECT_NE(p.protocol->calls.back(), "lost");
        co_await p.protocol->over.wait();
    });
}

TEST_P(Transport, ReadingCanBePausedBeforeTheFirstByte) {
    run_io([]() -> coro<> {
        auto quiet = std::make_shared<recorder>();
        quiet->on_made = [&q = *quiet] { q.to->pause_reading(); };
        auto p = co_await protocol_pair(quiet);
        EXPECT_FALSE(p.transport->is_reading());
        co_await p.peer.writer.write("hello");
        p.peer.writer.write_eof();
        co_await pass_by(200);
        EXPECT_EQ(quiet->calls, calls{"made"});
        p.transport->resume_reading();
        p.transport->resume_reading();
        EXPECT_TRUE(p.transport->is_reading());
        co_await quiet->over.wait();
        EXPECT_EQ(quiet->calls, (calls{"made", "data", "eof", "lost"}));
        EXPECT_EQ(quiet->data, "hello");
    });
}

TEST_P(Transport, WhilePausedNeitherDataNorTheEndIsToldAndNothingIsLost) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.transport->pause_reading();
        p.transport->pause_reading();
        const std::string sent = pattern(60'000); // less than any world keeps for a reader that does not read
        co_await p.peer.writer.write(sent);
        co_await p.peer.writer.aclose();
        co_await pass_by(200);
        EXPECT_EQ(p.protocol->calls, calls{"made"});
        p.protocol->on_data = [&] { p.transport->pause_reading(); };
        p.transport->resume_reading();
        co_await p.protocol->has(1);
        const std::size_t so_far = p.protocol->data.size();
        co_await pass_by(200);
        EXPECT_EQ(p.protocol->data.size(), so_far);
        p.protocol->on_data = nullptr;
        p.transport->resume_reading();
        co_await p.protocol->over.wait();
        EXPECT_TRUE(p.protocol->data == sent);
    });
}

TEST_P(Transport, AProtocolThatWantsToStaysHalfOpen) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.protocol->stays_open = true;
        p.peer.writer.write_eof();
        co_await p.protocol->ended.wait();
        co_await pass_by(70);
        EXPECT_FALSE(p.transport->is_closing());
        p.transport->write("still here");
        p.transport->close();
        EXPECT_EQ((co_await p.peer.reader.read_all()).str(), "still here");
        co_await p.protocol->over.wait();
        EXPECT_EQ(p.protocol->calls, (calls{"made", "eof", "lost"}));
    });
}

TEST_P(Transport, CloseSendsWhatIsQueuedAndTellsOnce) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        const std::string sent = pattern(8'000'000);
        p.transport->write(sent);
        p.transport->close();
        p.transport->close();
        EXPECT_TRUE(p.transport->is_closing());
        EXPECT_FALSE(p.transport->is_reading());
        p.transport->write("too late");
        EXPECT_TRUE((co_await p.peer.reader.read_all()).str() == sent);
        co_await p.protocol->over.wait();
        co_await pass_by(70);
        EXPECT_EQ(std::count(p.protocol->calls.begin(), p.protocol->calls.end(), "lost"), 1);
        EXPECT_EQ(p.protocol->error, nullptr);
    });
}

TEST_P(Transport, AfterCloseNoDataIsTold) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.protocol->on_data = [&] { p.transport->close(); };
        co_await p.peer.writer.write("one");
        co_await p.protocol->over.wait();
        EXPECT_EQ(p.protocol->calls, (calls{"made", "data", "lost"}));
    });
}

TEST_P(Transport, AbortDropsWhatIsQueuedAndResets) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.transport->write(std::string(more_than_the_kernel_takes, 'x'));
        p.transport->abort();
        p.transport->abort();
        co_await p.protocol->over.wait();
        EXPECT_EQ(p.protocol->error, nullptr);
        EXPECT_EQ(p.transport->get_write_buffer_size(), 0u);
        EXPECT_TRUE((co_await as_result(p.peer.reader.read_all())).holds<connection_reset_error>());
    });
}

TEST_P(Transport, WriteEofEndsOneDirectionOnceAllIsSent) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        const std::string sent = pattern(8'000'000);
        EXPECT_TRUE(p.transport->can_write_eof());
        p.transport->write(sent);
        p.transport->write_eof();
        p.transport->write_eof();
        EXPECT_THROW(p.transport->write("more"), runtime_error);
        EXPECT_TRUE((co_await p.peer.reader.read_all()).str() == sent);
        co_await p.peer.writer.write("the other direction");
        co_await p.protocol->has(19);
        p.transport->close();
        p.transport->write_eof();
        co_await p.protocol->over.wait();
    });
}

TEST_P(Transport, AResetIsTheErrorOfConnectionLost) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.listening.abort_clients();
        co_await p.protocol->over.wait();
        EXPECT_TRUE(detail::exception_cast<connection_reset_error>(p.protocol->error));
        EXPECT_EQ(p.protocol->calls, (calls{"made", "lost"}));
        p.transport->write("ignored");
    });
}

TEST_P(Transport, AWriteErrorIsToldAlsoWhileReadingIsPaused) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.transport->pause_reading();
        p.transport->write(std::string(more_than_the_kernel_takes, 'x'));
        p.listening.abort_clients();
        co_await p.protocol->over.wait();
        EXPECT_TRUE(detail::exception_cast<connection_error>(p.protocol->error));
    });
}

TEST_P(Transport, WhatDataReceivedThrowsEndsTheConnectionWithThatError) {
    run_io([this]() -> coro<> {
        auto p = co_await protocol_pair();
        p.protocol->on_data = [] { throw value_error("bad byte"); };
        co_await p.peer.writer.write("x");
        co_await p.protocol->over.wait();
        EXPECT_TRUE(detail::exception_cast<value_error>(p.protocol->error));
        const auto told = reports.take();
        EXPECT_EQ(told.size(), 1u);
        EXPECT_TRUE(!told.empty() && told[0].mentions("data_received()") && told[0].holds<value_error>());
    });
}

TEST_P(Transport, WhatEofReceivedThrowsEndsTheConnectionWithThatError) {
    run_io([this]() -> coro<> {
        auto p = co_await protocol_pair();
        p.protocol->on_eof = [] { throw value_error("unexpected end"); };
        p.peer.writer.write_eof();
        co_await p.protocol->over.wait();
        EXPECT_TRUE(detail::exception_cast<value_error>(p.protocol->error));
        EXPECT_EQ(reports.take().size(), 1u);
    });
}

TEST_P(Transport, WhatTheOtherCallbacksThrowIsReportedAndTheConnectionGoesOn) {
    run_io([this]() -> coro<> {
        auto clumsy = std::make_shared<recorder>();
        clumsy->on_made = clumsy->on_pause = clumsy->on_resume = clumsy->on_lost = [] { throw value_error("clumsy"); };
        auto p = co_await protocol_pair(clumsy);
        p.transport->write(pattern(more_than_the_kernel_takes));
        EXPECT_EQ((co_await p.peer.reader.read_exactly(more_than_the_kernel_takes)).size(), more_than_the_kernel_takes);
        co_await clumsy->resumed.wait();
        p.transport->close();
        co_await clumsy->over.wait();
        co_await pass_by(3);
        const auto told = reports.take();
        EXPECT_EQ(told.size(), 4u);
        for (const test::report& r : told) EXPECT_TRUE(r.mentions("unhandled exception in") && r.holds<value_error>());
    });
}

TEST_P(Transport, AReportNamesTheTransport) {
    run_io([this]() -> coro<> {
        auto p = co_await protocol_pair();
        std::vector<transport*> named;
        loop().set_exception_handler([&](event_loop&, const error_context& what) { named.push_back(what.transport); });
        p.protocol->on_data = [] { throw value_error("bad byte"); };
        co_await p.peer.writer.write("x");
        co_await p.protocol->over.wait();
        EXPECT_EQ(named, std::vector<transport*>{p.transport.get()});
    });
}

TEST_P(Transport, AnExitRequestInACallbackEndsTheRun) {
    std::shared_ptr<recorder> kept;
    EXPECT_THROW(run([&]() -> coro<> {
                     auto p = co_await protocol_pair();
                     kept = p.protocol;
                     p.protocol->on_data = [] { throw system_exit(3); };
                     co_await p.peer.writer.write("x");
                     co_await sleep_forever();
                 }),
                 system_exit);
    end_loop();
    EXPECT_EQ(kept->calls, (calls{"made", "data", "lost"}));
}

TEST_P(Transport, CallbacksSeeTheContextOfWhoConnected) {
    run_io([]() -> coro<> {
        context_var<int> who("who", 0);
        int made = 0;
        int later = 0;
        auto curious = std::make_shared<recorder>();
        curious->on_made = [&] { made = who.get(); };
        curious->on_data = [&] { later = who.get(); };
        auto token = who.set(7);
        auto p = co_await protocol_pair(curious);
        who.assign(8);
        co_await p.peer.writer.write("x");
        co_await curious->has(1);
        EXPECT_EQ(made, 7);
        EXPECT_EQ(later, 7);
    });
}

TEST_P(Transport, WritingIsPausedAboveTheHighWaterMarkAndResumedAtTheLowOne) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        std::size_t at_pause = 0;
        std::size_t at_resume = 0;
        p.protocol->on_pause = [&] { at_pause = p.transport->get_write_buffer_size(); };
        p.protocol->on_resume = [&] { at_resume = p.transport->get_write_buffer_size(); };
        p.transport->set_write_buffer_limits({.high = 1000, .low = 10});
        p.transport->write(std::string(more_than_the_kernel_takes, 'x'));
        EXPECT_GT(at_pause, 1000u);
        co_await pass_by(70);
        p.transport->write("and more");
        EXPECT_EQ(p.protocol->calls, (calls{"made", "pause"}));
        p.transport->write_eof();
        co_await p.peer.reader.read_all();
        EXPECT_EQ(p.protocol->calls, (calls{"made", "pause", "resume"}));
        EXPECT_LE(at_resume, 10u);
    });
}

TEST_P(Transport, PauseAndResumeAlternate) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.transport->set_write_buffer_limits({.high = 0});
        for (int i = 0; i < 20; ++i) {
            p.transport->write(pattern(300'000));
            co_await p.peer.reader.read_exactly(300'000);
        }
        co_await pass_by(70);
        calls expected{"made"};
        bool paused = false;
        for (std::size_t i = 1; i < p.protocol->calls.size(); ++i) {
            expected.push_back(paused ? "resume" : "pause");
            paused = !paused;
        }
        EXPECT_EQ(p.protocol->calls, expected);
        EXPECT_FALSE(paused);
    });
}

TEST_P(Transport, AHighWaterMarkOfZeroPausesWhenAnythingWaits) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.transport->set_write_buffer_limits({.high = 0});
        while (p.transport->get_write_buffer_size() == 0) p.transport->write(std::string(100'000, 'x'));
        EXPECT_EQ(p.protocol->calls, (calls{"made", "pause"}));
        p.transport->abort();
    });
}

TEST_P(Transport, ItsLimitsHaveAsyncioDefaults) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        using limits = std::pair<std::size_t, std::size_t>;
        EXPECT_EQ(p.transport->get_write_buffer_limits(), limits(16384, 65536));
        p.transport->set_write_buffer_limits({.high = 1000});
        EXPECT_EQ(p.transport->get_write_buffer_limits(), limits(250, 1000));
        p.transport->set_write_buffer_limits({.low = 1000});
        EXPECT_EQ(p.transport->get_write_buffer_limits(), limits(1000, 4000));
        EXPECT_THROW(p.transport->set_write_buffer_limits({.high = 1, .low = 2}), value_error);
        EXPECT_EQ(p.transport->get_write_buffer_limits(), limits(1000, 4000));
        p.transport->set_write_buffer_limits();
        EXPECT_EQ(p.transport->get_write_buffer_limits(), limits(16384, 65536));
    });
}

TEST_P(Transport, LowerLimitsPauseAtOnce) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        p.transport->set_write_buffer_limits({.high = 4 * more_than_the_kernel_takes});
        p.transport->write(std::string(more_than_the_kernel_takes, 'x'));
        EXPECT_EQ(p.protocol->calls, calls{"made"});
        p.transport->set_write_buffer_limits({.high = 10});
        EXPECT_EQ(p.protocol->calls, (calls{"made", "pause"}));
        p.transport->abort();
    });
}

TEST_P(Transport, AnotherProtocolGetsWhatComesFromThenOn) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        auto second = std::make_shared<recorder>();
        p.protocol->on_data = [&] { p.transport->set_protocol(second); };
        EXPECT_EQ(p.transport->get_protocol(), p.protocol);
        EXPECT_THROW(p.transport->set_protocol(nullptr), value_error);
        co_await p.peer.writer.write("one");
        co_await p.protocol->has(3);
        EXPECT_EQ(p.transport->get_protocol(), second);
        co_await p.peer.writer.write("two");
        co_await p.peer.writer.aclose();
        co_await second->over.wait();
        EXPECT_EQ(p.protocol->calls, (calls{"made", "data"}));
        EXPECT_EQ(second->calls, (calls{"data", "eof", "lost"}));
        EXPECT_EQ(second->data, "two");
        EXPECT_EQ(p.transport->get_protocol(), nullptr);
    });
}

TEST_P(Transport, KnowsItsAddressesAndItsDescriptor) {
    run_io([]() -> coro<> {
        auto p = co_await protocol_pair();
        EXPECT_EQ(p.transport->peer_address(), p.peer.writer.local_address());
        EXPECT_EQ(p.transport->local_address(), p.peer.writer.peer_address());
        EXPECT_GE(p.transport->fd(), 0);
        p.transport->close();
        co_await p.protocol->over.wait();
        EXPECT_EQ(p.transport->fd(), -1);
    });
}

TEST_P(Transport, TheLoopKeepsAConnectionThatNobodyHolds) {
    run_io([]() -> coro<> {
        std::weak_ptr<recorder> watched;
        auto seen = std::make_shared<std::string>();
        connection peer = co_await [](auto& w, auto s) -> coro<connection> {
            auto p = co_await protocol_pair();
            w = p.protocol;
            p.protocol->on_data = [s, raw = p.protocol.get()] { *s = raw->data; };
            co_return std::move(p.peer);
        }(watched, seen);
        EXPECT_FALSE(watched.expired());
        co_await peer.writer.write("still there?");
        while (seen->size() < 12) co_await yield();
        co_await peer.writer.aclose();
        while (!watched.expired()) co_await yield();
    });
}

TEST_P(Transport, TheEndOfTheLoopIsToldToEveryProtocol) {
    std::shared_ptr<recorder> client;
    std::shared_ptr<recorder> paused;
    std::shared_ptr<transport> kept;
    run_io([&]() -> coro<> {
        auto p = co_await protocol_pair();
        client = p.protocol;
        kept = p.transport;
        auto q = co_await protocol_pair();
        paused = q.protocol;
        q.transport->pause_reading();
        q.transport->write(std::string(more_than_the_kernel_takes, 'x')); // and nobody reads it
    });
    end_loop();
    EXPECT_EQ(client->calls.back(), "lost");
    EXPECT_EQ(paused->calls.back(), "lost");
    EXPECT_TRUE(kept->is_closing());
}

TEST_P(Transport, AtTheEndOfTheLoopItIsToldInAPassOfThatLoop) {
    event_loop* told_in = nullptr;
    run_io([&]() -> coro<> {
        auto p = co_await protocol_pair();
        p.protocol->on_lost = [&] { told_in = running_loop_or_null(); };
    });
    event_loop* const here = &loop();
    end_loop();
    EXPECT_EQ(told_in, here);
}

} // namespace
} // namespace rondo
