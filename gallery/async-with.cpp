// Entering and leaving that are awaited; what async generators leave behind.

#include "support/options.hpp"
#include "support/run.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;

// region connection
class connection {
public:
    explicit connection(std::string to) : to_(std::move(to)) {}

    rondo::coro<> aenter() {
        co_await rondo::sleep(20ms); // a handshake
        std::printf("  %s: open\n", to_.c_str());
    }
    rondo::coro<> aexit(std::exception_ptr error) {
        std::printf("  %s: leaving%s\n", to_.c_str(), error ? ", because of an error" : "");
        co_await rondo::sleep(20ms); // a goodbye, and its answer
        std::printf("  %s: closed\n", to_.c_str());
    }
    rondo::coro<int> ask(int question) {
        co_await rondo::sleep(10ms);
        if (question < 0) throw std::invalid_argument("there is no answer to that");
        co_return question* question;
    }

private:
    std::string to_;
};
// endregion

// region transaction
/// An aexit() that gives a bool may swallow the error: true does.
struct transaction {
    rondo::coro<> aenter() { co_return; }
    rondo::coro<bool> aexit(std::exception_ptr error) {
        co_await rondo::sleep(10ms);
        std::printf("  transaction: %s\n", error ? "rolled back" : "committed");
        co_return error != nullptr;
    }
};
// endregion

// region leaving
rondo::coro<> every_way_out() {
    std::puts("with a value");
    const int answer = co_await rondo::with(connection("bank"), [](connection& c) { return c.ask(6); });
    std::printf("  the answer is %d\n", answer);

    std::puts("with an error");
    try {
        co_await rondo::with(connection("bank"), [](connection& c) { return c.ask(-1); });
    } catch (const std::invalid_argument& e) {
        std::printf("  afterwards: %s\n", e.what());
    }

    std::puts("with a timeout, which does not interrupt the leaving");
    const auto in_time = co_await rondo::move_on_after(
        30ms, rondo::with(connection("bank"), [](connection&) { return rondo::sleep_forever(); }));
    std::printf("  afterwards: %s\n", in_time ? "in time" : "too late");

    std::puts("with an error that is swallowed");
    const std::optional<int> booked =
        co_await rondo::with(transaction(), []() -> rondo::coro<int> { throw std::runtime_error("out of money"); });
    std::printf("  afterwards: %s\n", booked ? "booked" : "not booked");

    std::puts("two, left in reverse order");
    connection from("bank"), to("shop");
    co_await rondo::async_exit_stack::run([&](rondo::async_exit_stack& open) -> rondo::coro<> {
        co_await open.enter(from);
        co_await open.enter(to);
    });
}
// endregion

// region generator
rondo::async_generator<int> rows(int count) {
    std::exception_ptr ending;
    try {
        for (int i = 1; i <= count; ++i) {
            co_await rondo::sleep(10ms);
            co_yield i;
        }
    } catch (...) { // an error, a cancellation, or the generator_exit that aclose() throws in
        ending = std::current_exception();
    }
    co_await rondo::sleep(10ms); // C++ has no await in a handler, so cleanup that awaits stands behind it
    std::puts("  cursor closed");
    if (ending) std::rethrow_exception(ending);
}

rondo::coro<> generators(rondo::async_generator<int>& left_over) {
    std::puts("a generator to its end");
    RONDO_FOR_AWAIT(row, rows(2)) { std::printf("  row %d\n", row); }

    std::puts(
        "a generator that is dropped half-way: its destructors run, its cleanup cannot, for it would have to wait");
    RONDO_FOR_AWAIT(row, rows(9)) {
        std::printf("  row %d\n", row);
        break;
    }

    std::puts("the same, closed by aclosing()");
    co_await rondo::aclosing(rows(9), [](rondo::async_generator<int>& all) -> rondo::coro<> {
        RONDO_FOR_AWAIT(row, all) {
            std::printf("  row %d\n", row);
            break;
        }
    });

    std::puts("one that is still there when the loop closes, which closes it");
    std::printf("  row %d\n", (co_await left_over.next()).value());
}
// endregion

rondo::coro<> program(rondo::async_generator<int>& left_over) {
    co_await every_way_out();
    co_await generators(left_over);
}

} // namespace

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "Entering and leaving that are awaited; what async generators leave behind.");
    const bool virtual_time = options.flag("--virtual-time", "do not really wait");
    options.done();
    rondo::async_generator<int> left_over = rows(9); // lives longer than the loop
    return gallery::run(virtual_time, [&] { return program(left_over); });
}
