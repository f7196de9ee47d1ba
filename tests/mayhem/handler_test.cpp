#include "pipeline/handler.hpp"

#include "base/errors.hpp"
#include "mocks.hpp"
#include "report/screen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

using namespace std::chrono_literals;
using testing::_;
using testing::AnyNumber;
using testing::AtLeast;
using testing::HasSubstr;
using testing::NiceMock;
using testing::ReturnRef;
using testing::StrictMock;

namespace mayhem {
namespace {

using test::in_loop;
using kind = write_answer::kind;

constexpr delivery_tag first{1, 1};
constexpr delivery_tag second{1, 2};

delivery delivery_of(const char* id, delivery_tag tag, std::uint32_t failures = 0) {
    return {.tag = tag,
            .failures = failures,
            .payload = encode({.id = id, .host = "web-01", .requested_at = wall_time(1s)})};
}

rondo::coro<> nothing() { co_return; }
rondo::coro<restart_report> restarted() { co_return restart_report{.before = "100", .after = "200", .took = 5ms}; }
rondo::coro<write_answer> answered(write_answer a) { co_return a; }

/// The broker, the store and the driver say yes to everything unless a test says otherwise.
class Handler : public testing::Test {
protected:
    Handler() {
        ON_CALL(broker, lease).WillByDefault(ReturnRef(lease));
        ON_CALL(broker, extend).WillByDefault([](auto&&...) { return nothing(); });
        ON_CALL(broker, bury).WillByDefault([](auto&&...) { return nothing(); });
        ON_CALL(broker, give_back).WillByDefault([](auto&&...) { return nothing(); });
        ON_CALL(broker, fail).WillByDefault([](auto&&...) -> rondo::coro<fate> { co_return fate::redelivered; });
        ON_CALL(broker, acknowledge).WillByDefault([](auto&&...) { return nothing(); });
        ON_CALL(store, claim).WillByDefault([](auto&&...) { return answered({}); });
        ON_CALL(store, write).WillByDefault([](auto&&...) { return answered({}); });
        ON_CALL(driver, restart).WillByDefault([](auto&&...) { return restarted(); });
    }

    /// As the consumer does it.
    rondo::coro<> handle(delivery d) {
        table.enter(d.tag);
        co_await h.handle(std::move(d));
    }

    lease_terms lease{.deadline = 10s, .extension = 3s, .extend_every = 1h};
    NiceMock<test::mock_broker> broker;
    NiceMock<test::mock_store> store;
    NiceMock<test::mock_driver> driver;
    in_flight table;
    tally counted;
    screen out{{.summary_fd = -1, .log_fd = -1}};
    mayhem::log log{out};
    handler h{{.broker = broker, .store = store, .driver = driver, .in_flight = table, .tally = counted, .log = log},
              {.attempts = 5, .first_delay = 500ms, .longest_delay = 30s}};
};

auto state_is(restart_state s) { return testing::Field(&restart_record::state, s); }

} // namespace

TEST_F(Handler, RestartsSavesAndAcknowledges) {
    EXPECT_CALL(driver, restart("web-01")).Times(1);
    EXPECT_CALL(store, write(state_is(restart_state::started))).Times(1);
    EXPECT_CALL(store, write(state_is(restart_state::restarted))).Times(1);
    EXPECT_CALL(broker, acknowledge(first)).Times(1);
    in_loop([&] { return handle(delivery_of("a", first)); });
    EXPECT_EQ(counted.restarted, 1u);
    EXPECT_EQ(table.size(), 0u);
}

TEST_F(Handler, RestartAndSaveRunBesideEachOther) {
    in_loop([&]() -> rondo::coro<> {
        rondo::event restarting;
        rondo::event saving;
        EXPECT_CALL(driver, restart).WillOnce(test::does([&](std::string) -> rondo::coro<restart_report> {
            restarting.set();
            co_await saving.wait();
            co_return restart_report{};
        }));
        EXPECT_CALL(store, write).WillRepeatedly(test::does([&](restart_record) -> rondo::coro<write_answer> {
            saving.set();
            co_await restarting.wait();
            co_return write_answer{};
        }));
        co_await handle(delivery_of("a", first));
    });
    EXPECT_EQ(counted.restarted, 1u);
}

TEST_F(Handler, AcknowledgesOnlyWhatIsDurable) {
    in_loop([&]() -> rondo::coro<> {
        rondo::event durable;
        EXPECT_CALL(store, write(state_is(restart_state::started))).Times(1);
        EXPECT_CALL(store, write(state_is(restart_state::restarted)))
            .WillOnce(test::does([&](restart_record) -> rondo::coro<write_answer> {
                co_await durable.wait();
                co_return write_answer{};
            }));
        bool acknowledged = false;
        EXPECT_CALL(broker, acknowledge).WillOnce([&](delivery_tag) {
            acknowledged = true;
            return nothing();
        });
        auto handling = rondo::create_task(handle(delivery_of("a", first)));
        for (int i = 0; i < 20; ++i) co_await rondo::yield();
        EXPECT_FALSE(acknowledged);
        durable.set();
        co_await handling;
        EXPECT_TRUE(acknowledged);
    });
}

TEST_F(Handler, KeepsTheLeaseWhileItWorksAndStopsAtOnceWhenItIsDone) {
    lease.extend_every = 1ms;
    in_loop([&]() -> rondo::coro<> {
        rondo::event extended_thrice;
        int extended = 0;
        EXPECT_CALL(broker, extend(first)).WillRepeatedly(test::does([&](delivery_tag) -> rondo::coro<> {
            if (++extended == 3) extended_thrice.set();
            co_return;
        }));
        EXPECT_CALL(driver, restart).WillOnce(test::does([&](std::string) -> rondo::coro<restart_report> {
            co_await extended_thrice.wait();
            co_return restart_report{};
        }));
        co_await handle(delivery_of("a", first));

        lease.extend_every = 1h; // it would be a long wait for the next tick
        EXPECT_CALL(driver, restart).WillOnce([](std::string) { return restarted(); });
        co_await handle(delivery_of("b", {2, 1}));
        EXPECT_EQ(rondo::all_tasks().size(), 1u);
    });
    EXPECT_EQ(counted.restarted, 2u);
}

TEST_F(Handler, AFailedRestartIsLeftToTheBrokerWithABackOff) {
    EXPECT_CALL(driver, restart).WillRepeatedly([](std::string) -> rondo::coro<restart_report> {
        co_await rondo::yield();
        throw restart_failed("it did not come back");
    });
    EXPECT_CALL(broker, acknowledge).Times(0);
    EXPECT_CALL(broker, fail(first, HasSubstr("it did not come back"), std::chrono::nanoseconds(500ms))).Times(1);
    EXPECT_CALL(broker, fail(second, HasSubstr("it did not come back"), std::chrono::nanoseconds(2s))).Times(1);
    in_loop([&]() -> rondo::coro<> {
        co_await handle(delivery_of("a", first));
        co_await handle(delivery_of("a", second, 2));
    });
    EXPECT_EQ(counted.retried, 2u);
    EXPECT_EQ(table.size(), 0u);
}

TEST_F(Handler, ARestartThatIsImpossibleIsWrittenDownAsFailedAndAcknowledged) {
    EXPECT_CALL(driver, restart).WillOnce([](std::string) -> rondo::coro<restart_report> {
        co_await rondo::yield();
        throw restart_impossible("there is no such host");
    });
    EXPECT_CALL(store, write(state_is(restart_state::started))).Times(1);
    EXPECT_CALL(store, write(testing::AllOf(state_is(restart_state::failed),
                                            testing::Field(&restart_record::detail, "there is no such host"))))
        .Times(1);
    EXPECT_CALL(broker, acknowledge(first)).Times(1);
    in_loop([&] { return handle(delivery_of("a", first)); });
    EXPECT_EQ(counted.failed, 1u);
}

TEST_F(Handler, AnErrorInSaveDoesNotUndoARestart) {
    int failures = 3;
    EXPECT_CALL(store, write).WillRepeatedly(test::does([&](restart_record) -> rondo::coro<write_answer> {
        co_await rondo::yield();
        if (failures-- > 0) throw std::runtime_error("the disk is full");
        co_return write_answer{};
    }));
    EXPECT_CALL(driver, restart).Times(1);
    EXPECT_CALL(broker, acknowledge(first)).Times(1);
    in_loop([&] { return handle(delivery_of("a", first)); });
    EXPECT_EQ(counted.saves_retried, 3u);
    EXPECT_EQ(counted.restarted, 1u);
}

TEST_F(Handler, ARedeliveryOfWhatIsFinishedRestartsNothing) {
    restart_record row{.what = {.id = "a", .host = "web-01", .requested_at = wall_time(1s)},
                       .by = first,
                       .state = restart_state::restarted};
    EXPECT_CALL(store, write).WillOnce([&](restart_record) { return answered({.what = kind::finished, .row = row}); });
    EXPECT_CALL(driver, restart).Times(0);
    EXPECT_CALL(broker, acknowledge(second)).Times(1);
    in_loop([&] { return handle(delivery_of("a", second, 1)); });
    EXPECT_EQ(counted.restarted, 1u);
    EXPECT_EQ(counted.already_recorded, 1u);
}

TEST_F(Handler, TheSameRequestInAnotherMessageRestartsNothing) {
    restart_record row{.what = {.id = "a", .host = "web-01", .requested_at = wall_time(1s)},
                       .by = first,
                       .state = restart_state::restarted};
    EXPECT_CALL(store, claim).WillOnce([&](restart_record) { return answered({.what = kind::finished, .row = row}); });
    EXPECT_CALL(store, write).Times(0);
    EXPECT_CALL(driver, restart).Times(0);
    EXPECT_CALL(broker, acknowledge(delivery_tag{2, 1})).Times(1);
    in_loop([&] { return handle(delivery_of("a", {2, 1})); });
    EXPECT_EQ(counted.restarted, 1u);
    EXPECT_EQ(counted.already_recorded, 1u);
}

TEST_F(Handler, TouchesNothingBeforeItsClaimIsGranted) {
    in_loop([&]() -> rondo::coro<> {
        rondo::event granted;
        int refusals = 2;
        EXPECT_CALL(store, claim(state_is(restart_state::started)))
            .WillRepeatedly(test::does([&](restart_record) -> rondo::coro<write_answer> {
                co_await granted.wait();
                if (refusals-- > 0) throw std::runtime_error("the disk is full");
                co_return write_answer{};
            }));
        EXPECT_CALL(store, write).Times(0);
        EXPECT_CALL(driver, restart).Times(0);
        auto handling = rondo::create_task(handle(delivery_of("a", first)));
        for (int i = 0; i < 20; ++i) co_await rondo::yield();
        testing::Mock::VerifyAndClearExpectations(&driver);
        testing::Mock::VerifyAndClearExpectations(&broker);
        EXPECT_CALL(store, write).WillRepeatedly([](restart_record) { return answered({}); });
        EXPECT_CALL(driver, restart).WillOnce([](std::string) { return restarted(); });
        granted.set();
        co_await handling;
    });
    EXPECT_EQ(counted.saves_retried, 2u);
    EXPECT_EQ(counted.restarted, 1u);
}

TEST_F(Handler, ALostLeaseStopsSideEffects) {
    lease.extend_every = 1ms;
    EXPECT_CALL(broker, extend).WillOnce([](delivery_tag) -> rondo::coro<> {
        co_await rondo::yield();
        throw lease_lost("expired");
    });
    bool stopped = false;
    EXPECT_CALL(driver, restart).WillOnce(test::does([&](std::string) -> rondo::coro<restart_report> {
        const auto slept = co_await rondo::as_result(rondo::sleep_forever());
        stopped = slept.cancelled();
        slept.value();
        co_return restart_report{};
    }));
    EXPECT_CALL(broker, acknowledge).Times(0);
    EXPECT_CALL(broker, fail).Times(0);
    in_loop([&] { return handle(delivery_of("a", first)); });
    EXPECT_TRUE(stopped);
    EXPECT_EQ(counted.leases_lost, 1u);
    EXPECT_EQ(table.size(), 0u) << "it is not ours to give back";
}

TEST_F(Handler, AFencedDeliveryDoesNothingMore) {
    EXPECT_CALL(store, write).WillOnce([](restart_record) { return answered({.what = kind::fenced}); });
    EXPECT_CALL(driver, restart).Times(0);
    EXPECT_CALL(broker, acknowledge).Times(0);
    EXPECT_CALL(broker, fail).Times(0);
    in_loop([&] { return handle(delivery_of("a", second)); });
    EXPECT_EQ(counted.leases_lost, 1u);
}

TEST_F(Handler, WhatWasRestartedWhenTheLeaseWasLostIsNotRestartedAgain) {
    EXPECT_CALL(driver, restart).Times(1);
    EXPECT_CALL(broker, acknowledge(first)).WillOnce([](delivery_tag) -> rondo::coro<> {
        co_await rondo::yield();
        throw lease_lost("expired");
    });
    EXPECT_CALL(broker, acknowledge(second)).Times(1);
    EXPECT_CALL(broker, fail).WillRepeatedly([](auto&&...) -> rondo::coro<fate> {
        throw lease_lost("expired");
        co_return fate{};
    });
    in_loop([&]() -> rondo::coro<> {
        co_await handle(delivery_of("a", first));
        co_await handle(delivery_of("a", second, 1));
    });
    EXPECT_EQ(counted.restarted, 1u);
}

TEST_F(Handler, AMalformedMessageIsBuriedAndTheNextOneHandled) {
    EXPECT_CALL(broker, bury(first, HasSubstr("malformed"))).Times(1);
    EXPECT_CALL(broker, acknowledge(delivery_tag{2, 1})).Times(1);
    in_loop([&]() -> rondo::coro<> {
        co_await handle({.tag = first, .failures = 0, .payload = "not a request"});
        co_await handle(delivery_of("b", {2, 1}));
    });
    EXPECT_EQ(counted.restarted, 1u);
    EXPECT_EQ(table.size(), 0u);
}

TEST_F(Handler, ASecondDeliveryOfWhatIsInHandIsGivenBack) {
    in_loop([&]() -> rondo::coro<> {
        rondo::event go;
        EXPECT_CALL(driver, restart).WillOnce(test::does([&](std::string) -> rondo::coro<restart_report> {
            co_await go.wait();
            co_return restart_report{};
        }));
        EXPECT_CALL(broker, give_back(second, _)).Times(1);
        auto handling = rondo::create_task(handle(delivery_of("a", first)));
        co_await rondo::yield();
        co_await handle(delivery_of("a", second, 1));
        go.set();
        co_await handling;
    });
    EXPECT_EQ(counted.restarted, 1u);
    EXPECT_EQ(table.size(), 0u);
}

TEST_F(Handler, CancelledBeforeTheHostWasTouchedLeavesItToBeGivenBack) {
    EXPECT_CALL(broker, acknowledge).Times(0);
    EXPECT_CALL(broker, fail).Times(0);
    in_loop([&]() -> rondo::coro<> {
        EXPECT_CALL(driver, restart).WillOnce([](std::string) -> rondo::coro<restart_report> {
            co_await rondo::sleep_forever();
            co_return restart_report{};
        });
        co_await rondo::task_group::run([&](rondo::task_group& handlers) -> rondo::coro<> {
            handlers.create_task(handle(delivery_of("a", first)));
            for (int i = 0; i < 20; ++i) co_await rondo::yield();
            handlers.cancel();
        });
    });
    EXPECT_EQ(table.unsettled(), std::vector<delivery_tag>{first});
}

TEST_F(Handler, CancelledAfterTheRestartIsStillWrittenDownAndAcknowledged) {
    in_loop([&]() -> rondo::coro<> {
        bool cancelled = false;
        EXPECT_CALL(store, write(state_is(restart_state::started))).Times(AnyNumber());
        EXPECT_CALL(store, write(state_is(restart_state::restarted)))
            .WillRepeatedly(test::does([&](restart_record) -> rondo::coro<write_answer> {
                if (!cancelled) co_await rondo::sleep_forever();
                co_return write_answer{};
            }));
        EXPECT_CALL(broker, acknowledge(first)).Times(1);
        co_await rondo::task_group::run([&](rondo::task_group& handlers) -> rondo::coro<> {
            handlers.create_task(handle(delivery_of("a", first)));
            for (int i = 0; i < 20; ++i) co_await rondo::yield();
            cancelled = true;
            handlers.cancel();
        });
    });
    EXPECT_EQ(counted.restarted, 1u);
    EXPECT_EQ(table.size(), 0u);
}

TEST_F(Handler, AnUnknownErrorIsAFailedAttemptAndNotTheEnd) {
    EXPECT_CALL(driver, restart).WillOnce([](std::string) -> rondo::coro<restart_report> {
        co_await rondo::yield();
        throw std::logic_error("nobody expected this");
    });
    EXPECT_CALL(broker, fail(first, HasSubstr("nobody expected this"), _)).Times(1);
    in_loop([&] { return handle(delivery_of("a", first)); });
}

TEST_F(Handler, ABrokerThatFailsLeavesTheDeliveryToBeGivenBack) {
    EXPECT_CALL(broker, acknowledge).WillOnce([](delivery_tag) -> rondo::coro<> {
        co_await rondo::yield();
        throw std::runtime_error("the journal is broken");
    });
    EXPECT_CALL(broker, fail).WillOnce([](auto&&...) -> rondo::coro<fate> {
        throw std::runtime_error("the journal is broken");
        co_return fate{};
    });
    in_loop([&] { return handle(delivery_of("a", first)); });
    EXPECT_EQ(table.size(), 1u);
    EXPECT_EQ(counted.restarted, 0u);
}

} // namespace mayhem
