// The parts of the service as mocks whose methods are coroutines, and loops for tests.
#pragma once

#include "broker/broker.hpp"
#include "hosts/host_driver.hpp"
#include "store/store.hpp"

#include <gmock/gmock.h>
#include <rondo/rondo.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace mayhem::test {

class mock_broker : public broker {
public:
    MOCK_METHOD(const lease_terms&, lease, (), (const, noexcept, override));
    MOCK_METHOD(rondo::coro<>, publish, (std::vector<std::string>), (override));
    MOCK_METHOD(rondo::coro<std::vector<delivery>>, pull, (std::size_t), (override));
    MOCK_METHOD(rondo::coro<>, acknowledge, (delivery_tag), (override));
    MOCK_METHOD(rondo::coro<>, extend, (delivery_tag), (override));
    MOCK_METHOD(rondo::coro<fate>, fail, (delivery_tag, std::string, std::chrono::nanoseconds), (override));
    MOCK_METHOD(rondo::coro<>, bury, (delivery_tag, std::string), (override));
    MOCK_METHOD(rondo::coro<>, give_back, (delivery_tag, std::chrono::nanoseconds), (override));
    MOCK_METHOD(std::vector<message>, dead_letters, (std::size_t), (const, override));
    MOCK_METHOD(broker_statistics, statistics, (), (const, override));
    MOCK_METHOD(rondo::coro<>, close, (), (override));
};

class mock_store : public store {
public:
    MOCK_METHOD(rondo::coro<write_answer>, claim, (restart_record), (override));
    MOCK_METHOD(rondo::coro<write_answer>, write, (restart_record), (override));
    MOCK_METHOD(rondo::coro<>, close, (), (override));
};

class mock_driver : public host_driver {
public:
    MOCK_METHOD(rondo::coro<>, start, (), (override));
    MOCK_METHOD(rondo::coro<restart_report>, restart, (std::string), (override));
    MOCK_METHOD(std::vector<host_status>, hosts, (), (const, override));
    MOCK_METHOD(rondo::coro<>, close, (), (override));
};

/// An action for a mocked coroutine: gmock destroys its copy of a lambda when the call returns, so what the lambda captured
/// is kept in a frame of its own.
template <class F> auto does(F body) {
    return [body](auto... arguments) {
        return [](F kept, auto... a) -> std::invoke_result_t<F, decltype(a)...> {
            co_return co_await kept(std::move(a)...);
        }(body, std::move(arguments)...);
    };
}

/// Runs the body in a loop; what hangs fails after so long that no slow machine gets there.
template <class F> void in_loop(F body) {
    rondo::run([&]() -> rondo::coro<> { co_await rondo::fail_after(std::chrono::seconds(60), body); });
}

/// Waits for what has no event to wait for: looks again after each pass of the loop.
template <class P> rondo::coro<> until(P holds) {
    while (!holds()) co_await rondo::sleep(std::chrono::milliseconds(1));
}

} // namespace mayhem::test
