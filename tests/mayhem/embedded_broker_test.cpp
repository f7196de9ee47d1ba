#include "broker/embedded_broker.hpp"

#include "base/errors.hpp"
#include "mocks.hpp"
#include "temporary_directory.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <optional>
#include <system_error>

#include <sys/resource.h>

using namespace std::chrono_literals;

namespace mayhem {
namespace {

using test::in_loop;
using texts = std::vector<std::string>;

class EmbeddedBroker : public testing::Test {
protected:
    /// As a process does that starts.
    void open() { b.emplace(path, read_journal(path), options); }
    /// As one that dies: what was written is there, nothing is put in order.
    rondo::coro<> die() {
        co_await b->close();
        b.reset();
    }
    rondo::coro<> publish(texts payloads) { co_await b->publish(std::move(payloads)); }
    rondo::coro<delivery> pull_one() { co_return (co_await b->pull(1)).front(); }

    test::temporary_directory place;
    std::filesystem::path path = place / "requests.journal";
    embedded_broker_options options;
    std::optional<embedded_broker> b;
};

} // namespace

TEST_F(EmbeddedBroker, DeliversInOrderAndForgetsWhatWasAcknowledged) {
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"one", "two", "three"});
        const auto got = co_await b->pull(10);
        EXPECT_EQ(got.size(), 3u);
        EXPECT_EQ(got.at(0).payload, "one");
        EXPECT_EQ(got.at(2).payload, "three");
        EXPECT_EQ(got.at(0).tag.count, 1u);
        for (const delivery& d : got) co_await b->acknowledge(d.tag);
        EXPECT_EQ(b->statistics().pending, 0u);
        EXPECT_EQ(b->statistics().published, 3u);
        EXPECT_EQ(b->statistics().acknowledged, 3u);
        co_await die();

        open();
        EXPECT_EQ(b->statistics().recovered, 0u);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, WhoPullsWaitsForWhatIsPublished) {
    in_loop([&]() -> rondo::coro<> {
        open();
        auto pulling = rondo::create_task(b->pull(5));
        co_await rondo::yield();
        EXPECT_FALSE(pulling.done());
        co_await publish({"x"});
        EXPECT_EQ((co_await pulling).size(), 1u);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, AnExpiredLeaseComesAgainAndTheLateAcknowledgementIsRefused) {
    options.lease = {.deadline = 20ms, .extension = 20ms, .extend_every = 5ms};
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"x"});
        const delivery first = co_await pull_one();
        const delivery second = co_await pull_one(); // waits for the expiry
        EXPECT_EQ(second.tag.sequence, first.tag.sequence);
        EXPECT_EQ(second.tag.count, 2u);
        EXPECT_EQ(second.failures, 1u);
        EXPECT_TRUE((co_await rondo::as_result(b->acknowledge(first.tag))).holds<lease_lost>());
        EXPECT_TRUE((co_await rondo::as_result(b->extend(first.tag))).holds<lease_lost>());
        EXPECT_EQ(b->statistics().leases_expired, 1u);
        EXPECT_EQ(b->statistics().redelivered, 1u);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, ALeaseThatIsExtendedLasts) {
    options.lease = {.deadline = 30ms, .extension = 1h, .extend_every = 5ms};
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"kept", "lost"});
        const auto got = co_await b->pull(2);
        co_await b->extend(got.at(0).tag);
        EXPECT_EQ((co_await pull_one()).payload, "lost");
        co_await b->acknowledge(got.at(0).tag);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, AnExtensionNeverShortensALease) {
    options.lease = {.deadline = 1h, .extension = 1ns, .extend_every = 5ms};
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"x"});
        const delivery d = co_await pull_one();
        co_await b->extend(d.tag);
        co_await rondo::yield();
        co_await b->acknowledge(d.tag);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, AFailedDeliveryComesAgainAfterTheDelayAndWakesWhoAlreadyWaits) {
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"held", "failing"});
        const auto got = co_await b->pull(2);
        auto pulling = rondo::create_task(b->pull(1)); // would wait for the lease of ten seconds
        co_await rondo::yield();
        const rondo::time_point before = rondo::clock::now();
        EXPECT_EQ(co_await b->fail(got.at(1).tag, "no", 10ms), fate::redelivered);
        const auto again = co_await pulling;
        EXPECT_EQ(again.at(0).payload, "failing");
        EXPECT_GE(rondo::clock::now() - before, 10ms);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, FailingTooOftenMakesADeadLetterWithItsHistory) {
    options.attempts = 3;
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"cursed"});
        EXPECT_EQ(co_await b->fail((co_await pull_one()).tag, "first", 0s), fate::redelivered);
        EXPECT_EQ(co_await b->fail((co_await pull_one()).tag, "second", 0s), fate::redelivered);
        EXPECT_EQ(co_await b->fail((co_await pull_one()).tag, "third", 0s), fate::dead_lettered);
        EXPECT_EQ(b->statistics().pending, 0u);
        EXPECT_EQ(b->statistics().dead_lettered, 1u);
        co_await die();

        open();
        EXPECT_EQ(b->statistics().recovered, 0u);
        const auto dead = b->dead_letters(10);
        EXPECT_EQ(dead.size(), 1u);
        EXPECT_EQ(dead.at(0).payload, "cursed");
        EXPECT_EQ(dead.at(0).history.size(), 3u);
        EXPECT_EQ(dead.at(0).history.at(1).reason, "second");
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, WhatIsBuriedIsDeadAtOnce) {
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"nonsense"});
        co_await b->bury((co_await pull_one()).tag, "malformed");
        EXPECT_EQ(b->statistics().dead_lettered, 1u);
        EXPECT_EQ(b->dead_letters(1).at(0).history.at(0).reason, "malformed");
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, WhatIsGivenBackComesAgainAndCountsNothing) {
    options.attempts = 1;
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"x"});
        co_await b->give_back((co_await pull_one()).tag, 0s);
        co_await b->give_back((co_await pull_one()).tag, 1h);
        EXPECT_EQ(b->statistics().pending, 1u);
        co_await die();

        open();
        EXPECT_EQ(b->statistics().recovered, 1u);
        const delivery d = co_await pull_one(); // the delay was the other process's
        EXPECT_EQ(d.tag.count, 3u);
        EXPECT_EQ(d.failures, 0u);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, WhatWasOutWhenTheProcessDiedComesAgainAndCounts) {
    options.attempts = 2;
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"out", "waiting"});
        co_await pull_one();
        co_await die();

        open();
        EXPECT_EQ(b->statistics().recovered, 2u);
        const auto got = co_await b->pull(10);
        EXPECT_EQ(got.size(), 2u);
        EXPECT_EQ(got.at(0).payload, "out");
        EXPECT_EQ(got.at(0).failures, 1u);
        EXPECT_EQ(got.at(1).failures, 0u);
        co_await die();

        open();
        EXPECT_EQ(b->statistics().recovered, 2u);
        EXPECT_EQ(b->statistics().dead_lettered, 1u) << "a message that kills the service does not do so for ever";
        EXPECT_EQ(b->statistics().pending, 1u);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, ACancelledPullDeliveredNothing) {
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"x", "y"});
        auto pulling = rondo::create_task(b->pull(2));
        co_await rondo::yield(); // it has leased them and waits for the disk
        EXPECT_EQ(b->statistics().out, 2u);
        pulling.cancel();
        EXPECT_TRUE((co_await rondo::as_result(std::as_const(pulling))).cancelled());
        EXPECT_EQ(b->statistics().out, 0u);
        const auto got = co_await b->pull(2);
        EXPECT_EQ(got.size(), 2u);
        EXPECT_EQ(got.at(0).failures, 0u);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, ACancelledPublishIsDeliveredAllTheSame) {
    in_loop([&]() -> rondo::coro<> {
        open();
        auto publishing = rondo::create_task(b->publish({"x"}));
        co_await rondo::yield();
        publishing.cancel();
        EXPECT_EQ((co_await pull_one()).payload, "x");
        EXPECT_EQ(b->statistics().published, 1u);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, PublishingWaitsWhileTheBrokerIsFull) {
    options.backlog_limit = 2;
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"1", "2"});
        auto third = rondo::create_task(b->publish({"3"}));
        co_await rondo::yield();
        EXPECT_EQ(b->statistics().pending, 2u);
        co_await b->acknowledge((co_await pull_one()).tag);
        co_await third;
        EXPECT_EQ(b->statistics().pending, 2u);
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, TheOldestDeadLettersAreForgottenAboveTheLimit) {
    options.dead_letter_limit = 2;
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"1", "2", "3"});
        for (const delivery& d : co_await b->pull(3)) co_await b->bury(d.tag, "no");
        co_await die();
        open();
        const auto dead = b->dead_letters(10);
        EXPECT_EQ(dead.size(), 2u);
        EXPECT_EQ(dead.at(0).payload, "2");
        EXPECT_EQ(b->dead_letters(1).at(0).payload, "3");
        co_await b->close();
    });
}

TEST_F(EmbeddedBroker, AJournalThatCannotBeWrittenFailsEveryoneFromThenOn) {
    const auto before = ::signal(SIGXFSZ, SIG_IGN);
    rlimit unlimited{};
    ::getrlimit(RLIMIT_FSIZE, &unlimited);
    in_loop([&]() -> rondo::coro<> {
        open();
        co_await publish({"x"});
        const rlimit tight{.rlim_cur = 200, .rlim_max = unlimited.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &tight);
        EXPECT_TRUE((co_await rondo::as_result(b->publish({std::string(1000, 'x')}))).holds<std::system_error>());
        ::setrlimit(RLIMIT_FSIZE, &unlimited);
        EXPECT_TRUE((co_await rondo::as_result(b->pull(1))).holds<std::system_error>());
        co_await die();

        open();
        EXPECT_EQ(b->statistics().recovered, 1u);
        co_await b->close();
    });
    ::setrlimit(RLIMIT_FSIZE, &unlimited);
    ::signal(SIGXFSZ, before);
}

} // namespace mayhem
