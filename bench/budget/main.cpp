// The scenarios of the budget: prints figures as one JSON object.
//
//     operations   what each operation takes; under callgrind each scenario is a dump of its own. Every scenario runs twice, and
//                  only the second time counts: by then the free lists are filled.
//     WEIGHT       what one of the things that `list` lists weighs, in a process of its own: with empty free lists

#include "probe.hpp"

#include <rondo/rondo.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using budget::figures;
using budget::probe;
using namespace std::chrono_literals;

constexpr std::uint64_t often = 10'000;
constexpr std::uint64_t messages = 2'000;
constexpr std::uint64_t many = 1'000'000; // so that a slab of 2 MiB more or less hardly shows

template <class T> void keep(T&& value) { asm volatile("" : : "g"(&value) : "memory"); }

// ---- what an operation takes ----------------------------------------------------------------------------------------

[[gnu::noinline]] rondo::coro<int> leaf(int x) { co_return x + 1; }

rondo::coro<> await_child() {
    for (std::uint64_t i = 0; i < often; ++i) keep(co_await leaf(1));
}
rondo::coro<> yield_alone() {
    for (std::uint64_t i = 0; i < often; ++i) co_await rondo::yield();
}
rondo::coro<> spawn_and_join() {
    for (std::uint64_t i = 0; i < often; ++i) keep(co_await rondo::create_task(leaf(1)));
}

rondo::coro<> echo_items(rondo::queue<int>& there, rondo::queue<int>& back) {
    while (auto item = co_await there.next()) co_await back.put(*item);
}
rondo::coro<> queue_round_trip() {
    rondo::queue<int> there(1);
    rondo::queue<int> back(1);
    auto echoing = rondo::create_task(echo_items, std::ref(there), std::ref(back));
    for (std::uint64_t i = 0; i < often; ++i) {
        co_await there.put(1);
        keep(co_await back.get());
    }
    there.shutdown();
    co_await echoing;
}

[[gnu::noinline]] rondo::generator<std::uint64_t> count_to(std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) co_yield i;
}
rondo::coro<> generator_step() {
    auto numbers = count_to(often);
    keep(numbers);
    while (auto number = numbers.next()) keep(*number);
    co_return;
}

rondo::coro<> timer_arm_and_cancel() {
    auto& loop = rondo::running_loop();
    const auto base = loop.time() + 1h;
    for (std::uint64_t i = 0; i < often; ++i) {
        auto handle = loop.call_at(base + std::chrono::milliseconds(i % 1000), [] {});
        handle.cancel();
    }
    co_return;
}

rondo::coro<> call_soon_pass() {
    auto& loop = rondo::running_loop();
    auto done = rondo::create_future<>();
    std::uint64_t left = often;
    struct again {
        rondo::event_loop& loop;
        std::uint64_t& left;
        rondo::future<> done;
        void operator()() {
            if (--left) loop.call_soon(*this);
            else done.set_result();
        }
    };
    loop.call_soon(again{loop, left, done});
    co_await done;
}

rondo::coro<> cancel_ten_deep(int depth) {
    if (depth == 1) co_await rondo::sleep_forever();
    else co_await cancel_ten_deep(depth - 1);
}
rondo::coro<> cancel_waiting() {
    for (std::uint64_t i = 0; i < often / 100; ++i) {
        auto waiting = rondo::create_task(cancel_ten_deep(10));
        co_await rondo::yield();
        waiting.cancel();
        keep(co_await rondo::as_result(waiting));
    }
}

// Both ends in this loop: a message there and back.
rondo::coro<> echo_stream(rondo::stream_reader reader, rondo::stream_writer writer) {
    for (;;) {
        const rondo::bytes data = co_await reader.read(4096);
        if (data.empty()) co_return;
        co_await writer.write(data);
    }
}
rondo::coro<> exchange(rondo::stream_reader& reader, rondo::stream_writer& writer) {
    for (std::uint64_t i = 0; i < messages; ++i) {
        co_await writer.write("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        keep(co_await reader.read_exactly(64));
    }
}
rondo::coro<> echo(figures& into) {
    auto server = co_await rondo::start_server(echo_stream, "127.0.0.1", 0);
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
    co_await exchange(reader, writer);
    probe p("echo", messages, into);
    p.begin();
    co_await exchange(reader, writer);
    p.end();
    co_await writer.aclose();
}

rondo::coro<> twice(const char* name, std::uint64_t operations, rondo::coro<> (*scenario)(), figures& into) {
    co_await scenario();
    probe p(name, operations, into);
    p.begin();
    co_await scenario();
    p.end();
}

rondo::coro<> operations(figures& into) {
    co_await twice("await", often, await_child, into);
    co_await twice("yield", often, yield_alone, into);
    co_await twice("spawn and join", often, spawn_and_join, into);
    co_await twice("queue round trip", often, queue_round_trip, into);
    co_await twice("generator step", often, generator_step, into);
    co_await twice("timer armed and cancelled", often, timer_arm_and_cancel, into);
    co_await twice("pass with a callback", often, call_soon_pass, into);
    co_await twice("cancel ten frames", often / 100, cancel_waiting, into);
    co_await echo(into);
}

// ---- what a thing weighs --------------------------------------------------------------------------------------------

double grown_each(const std::function<void()>& make) {
    const auto before = bench::allocated_bytes();
    for (std::uint64_t i = 0; i < many; ++i) make();
    return std::round(static_cast<double>(bench::allocated_bytes() - before) / static_cast<double>(many));
}

rondo::coro<> empty() { co_return; }
rondo::coro<int> awaiting() { co_return co_await leaf(1); }
rondo::coro<> sleeping() { co_await rondo::sleep(1h); }
rondo::coro<> sleeping_in_timeout() { co_await rondo::timeout(2h, rondo::sleep(1h)); }
rondo::coro<> waiting_for(rondo::queue<int>& items) { keep(co_await items.get()); }

/// What each of many such coroutines adds to the slabs.
template <class Make> double frame(Make make) {
    std::vector<decltype(make())> kept;
    kept.reserve(many);
    return grown_each([&] { kept.push_back(make()); });
}

template <class Start> rondo::coro<double> task(Start start) {
    std::vector<rondo::task<>> kept;
    kept.reserve(many);
    const auto before = bench::allocated_bytes();
    for (std::uint64_t i = 0; i < many; ++i) kept.push_back(start());
    co_await rondo::yield();
    co_await rondo::yield();
    const auto grown = bench::allocated_bytes() - before;
    for (auto& t : kept) t.cancel();
    for (auto& t : kept) keep(co_await rondo::as_result(t));
    co_return std::round(static_cast<double>(grown) / static_cast<double>(many));
}

// Both ends in this loop: each connection has had a byte echoed, and waits for the next.
rondo::coro<> one_echo(std::uint16_t port, std::vector<rondo::connection>& kept) {
    kept.push_back(co_await rondo::open_connection("127.0.0.1", port));
    co_await kept.back().writer.write("x");
    keep(co_await kept.back().reader.read_exactly(1));
}
rondo::coro<double> waiting_connections() {
    constexpr std::uint64_t what_the_loop_makes_once = 100;
    constexpr std::uint64_t weighed =
        300; // with both ends fewer than the 1,024 descriptors that a process may usually have
    auto server = co_await rondo::start_server(echo_stream, "127.0.0.1", 0);
    std::vector<rondo::connection> kept;
    kept.reserve(what_the_loop_makes_once + weighed);
    for (std::uint64_t i = 0; i < what_the_loop_makes_once; ++i) co_await one_echo(server.port(), kept);
    const auto before = bench::allocated_bytes();
    for (std::uint64_t i = 0; i < weighed; ++i) co_await one_echo(server.port(), kept);
    const auto grown = bench::allocated_bytes() - before;
    kept.clear();
    co_return std::round(static_cast<double>(grown) / static_cast<double>(weighed));
}

struct weight {
    const char* name;
    double (*measure)();
};

const weight weights[] = {
    {"frame of an empty coroutine", [] { return frame(empty); }},
    {"frame of a coroutine that awaits another", [] { return frame(awaiting); }},
    {"frame of a coroutine that sleeps", [] { return frame(sleeping); }},
    {"frame of a generator", [] { return frame([] { return count_to(1); }); }},
    {"task that sleeps", [] { return rondo::run(task([] { return rondo::create_task(sleeping()); })); }},
    {"task that sleeps within a timeout",
     [] { return rondo::run(task([] { return rondo::create_task(sleeping_in_timeout()); })); }},
    {"connection that waits, its two ends", [] { return rondo::run(waiting_connections()); }},
    {"task that waits for a queue",
     [] {
         rondo::queue<int> items(1);
         return rondo::run(task([&] { return rondo::create_task(waiting_for(items)); }));
     }},
};

void print(const figures& all) {
    const char* separator = "{";
    for (const auto& [name, figure] : all) {
        std::printf("%s\"%s\": %g", separator, name.c_str(), figure);
        separator = ", ";
    }
    std::printf("}\n");
}

} // namespace

int main(int argc, char** argv) {
    figures all;
    const std::string_view wanted = argc > 1 ? argv[1] : "";
    if (wanted == "operations") {
        rondo::run(operations, std::ref(all));
    } else if (wanted == "list") {
        for (const weight& w : weights) std::printf("%s\n", w.name);
        return 0;
    } else {
        for (const weight& w : weights)
            if (wanted == w.name) all[std::string("bytes/") + w.name] = w.measure();
        if (all.empty()) {
            std::fprintf(stderr, "usage: %s operations | list | WEIGHT\n", argv[0]);
            return 2;
        }
    }
    print(all);
}
