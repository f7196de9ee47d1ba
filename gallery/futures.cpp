// A search and its monitor, held together by a future, a task, gather.

#include "support/grouped.hpp"
#include "support/options.hpp"
#include "support/run.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using rondo::coro;

// region search
struct work {
    std::uint64_t yields = 0;
    bool slow = false; // so that a person can watch: about as slow as the same in Python
};

rondo::generator<std::int64_t> lucas(std::int64_t limit = 1'000'000'000'000'000'000) {
    for (std::int64_t a = 2, b = 1; a <= limit; a = std::exchange(b, a + b)) co_yield a;
}

coro<bool> is_prime(std::int64_t number, work& done) {
    if (number < 2) co_return false;
    for (std::int64_t divisor = 2; divisor * divisor <= number; ++divisor) {
        if (number % divisor == 0) co_return false;
        ++done.yields;
        if (done.slow && done.yields % 2000 == 0) co_await rondo::sleep(5ms);
        else co_await rondo::yield(); // after each division that leaves something
    }
    co_return true;
}

// The first prime with so many digits. It gives way all the time, so that others run beside it.
coro<std::int64_t> search(rondo::generator<std::int64_t> numbers, std::int64_t digits, work& done) {
    for (const std::int64_t number : numbers)
        if (co_await is_prime(number, done) && static_cast<std::int64_t>(std::to_string(number).size()) >= digits)
            co_return number;
    throw std::runtime_error("no such number");
}
// endregion

// Says every second that there is no result yet. It does not know who will have it, or how: a future is all that it needs to be
// told, and it does not touch what is in it.

// region monitor
coro<> monitor(rondo::any_future result) {
    while (!result.done()) {
        std::printf("  Waiting...\n");
        co_await rondo::wait(std::vector{result}, {.timeout = 1s});
    }
    std::printf("  Done!\n");
}
// endregion

// First way: a future, by hand. It is a place for a result that is still to come. Somebody promises to fill it, with a value or
// with an error; whoever awaits it gets the one or the other.

// region future
coro<> fulfil(rondo::future<std::int64_t> promised, coro<std::int64_t> body) {
    try {
        promised.set_result(co_await std::move(body));
    } catch (const std::exception&) {
        promised.set_exception(std::current_exception());
    }
}

coro<std::int64_t> with_a_future(coro<std::int64_t> body) {
    auto promised = rondo::create_future<std::int64_t>();
    rondo::spawn(fulfil, promised, std::move(body));
    co_await monitor(promised);
    co_return co_await promised;
}
// endregion

// Second way: a task is a coroutine that runs beside others, and the future of its result. Nobody has to fulfil anything.

// region task
coro<std::int64_t> with_a_task(coro<std::int64_t> body) {
    auto task = rondo::create_task(std::move(body));
    co_await monitor(task);
    co_return co_await task;
}
// endregion

// Third way: gather() awaits several at once, and gives their results in order.

// region gather
coro<std::int64_t> with_gather(coro<std::int64_t> body) {
    auto task = rondo::create_task(std::move(body));
    auto [result, nothing] = co_await rondo::gather(task, monitor(task));
    co_return result;
}
// endregion

// What giving way costs: the three searches, beside one that never does.

// region cost
using seconds = std::chrono::duration<double>;
using std::chrono::steady_clock;

std::int64_t search_alone(std::int64_t digits) {
    const auto is_prime = [](std::int64_t number) {
        if (number < 2) return false;
        for (std::int64_t divisor = 2; divisor * divisor <= number; ++divisor)
            if (number % divisor == 0) return false;
        return true;
    };
    for (const std::int64_t number : lucas())
        if (is_prime(number) && static_cast<std::int64_t>(std::to_string(number).size()) >= digits) return number;
    throw std::runtime_error("no such number");
}
// endregion

// region main
using way = coro<std::int64_t> (*)(coro<std::int64_t>);

coro<> find(const char* title, way together, std::int64_t digits, bool slow, double alone) {
    work done{.slow = slow};
    std::printf("\n%s\n", title);
    const auto start = steady_clock::now();
    const std::int64_t number = co_await together(search(lucas(), digits, done));
    const double time = seconds(steady_clock::now() - start).count();
    std::printf("  %lld, after %s cooperative yields in %.2f s\n", static_cast<long long>(number),
                gallery::grouped(done.yields).c_str(), time);
    const double cost = time - alone;
    if (!slow)
        std::printf("  giving way cost %.2f s in all, %.0f ns each time\n", cost,
                    cost / static_cast<double>(done.yields) * 1e9);
}

coro<> fail() {
    std::printf("\nAn error, through the future\n");
    work done;
    try {
        co_await with_a_future(search(lucas(1000), 13, done));
    } catch (const std::runtime_error& error) {
        std::printf("  %s\n", error.what());
    }
}

int main(int argc, char** argv) {
    gallery::options options(argc, argv, "A search and its monitor, held together by a future, a task, gather.");
    const std::int64_t digits = options.number("--digits", 13, 1, 15, "how many digits the Lucas prime has");
    const bool slow = options.flag("--slow", "as slow as the same in Python, so that a person can watch");
    const bool virtual_time = options.flag("--virtual-time", "seconds take no time");
    options.done();

    const auto start = steady_clock::now();
    const std::int64_t number = search_alone(digits);
    const double alone = seconds(steady_clock::now() - start).count();
    std::printf("The first Lucas prime with %lld digits\n\nSearched by a function, that never gives way\n",
                static_cast<long long>(digits));
    std::printf("  %lld, in %.2f s\n", static_cast<long long>(number), alone);

    return gallery::run(virtual_time, [&]() -> coro<> {
        co_await find("A future", with_a_future, digits, slow, alone);
        co_await find("A task", with_a_task, digits, slow, alone);
        co_await find("gather", with_gather, digits, slow, alone);
        co_await fail();
    });
}
// endregion
