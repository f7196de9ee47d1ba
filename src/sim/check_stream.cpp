#include <rondo/sim/check_stream.hpp>

#include <rondo/sim/world.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/gather.hpp>
#include <rondo/task/sleep.hpp>

#include "sim/all_of.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>

namespace rondo::sim {

namespace {

using detail::require;

std::string text_of_length(std::size_t n) {
    std::string text(n, ' ');
    for (std::size_t i = 0; i < n; ++i) text[i] = static_cast<char>('a' + i % 23);
    return text;
}

coro<> send(stream_writer& to, const std::string& text) {
    co_await to.write(text);
    to.write_eof();
}
coro<> expect(stream_reader& from, const std::string& text) {
    const bytes all = co_await from.read_all();
    require(all.view() == text, "the bytes that arrive are not those that were sent");
}

coro<> carry_both_ways(const stream_pair_factory& make) {
    auto [a, b] = co_await make();
    for (const std::size_t n : {1U, 2U, 700U}) {
        const std::string text = text_of_length(n);
        const auto cross = [&](stream_writer& to, stream_reader& from) -> coro<> {
            co_await to.write(text);
            const bytes some = co_await from.read_exactly(text.size());
            require(some.view() == text, "the bytes that arrive are not those that were sent");
        };
        co_await gather(cross(a.writer, b.reader), cross(b.writer, a.reader));
    }
    co_await gather(a.writer.aclose(), b.writer.aclose());
}

coro<> close_by_halves(const stream_pair_factory& make) {
    auto [a, b] = co_await make();
    const std::string question = text_of_length(300);
    const std::string answer = text_of_length(200);
    co_await gather(send(a.writer, question), expect(b.reader, question));
    co_await gather(send(b.writer, answer), expect(a.reader, answer));
    require((co_await a.reader.read(1)).empty(), "there is something after the end");
    co_await gather(a.writer.aclose(), b.writer.aclose());
}

coro<> lose_nothing_when_cancelled(const stream_pair_factory& make) {
    auto [a, b] = co_await make();
    const std::string text = text_of_length(100);
    task<> reading = create_task([](stream_reader* from) -> coro<> { co_await from->read_exactly(101); }, &b.reader);
    task<> writing =
        create_task([](stream_writer* to, std::string what) -> coro<> { co_await to->write(what); }, &a.writer, text);
    co_await hesitate("before the read is cancelled");
    reading.cancel();
    require((co_await as_result(reading)).cancelled(), "a read that was cancelled has ended otherwise");
    const bytes all = co_await b.reader.read_exactly(text.size());
    require(all.view() == text, "a read that was cancelled has lost something");
    co_await writing;
    co_await gather(a.writer.aclose(), b.writer.aclose());
}

coro<> hold_the_writer_back(const stream_pair_factory& make) {
    auto [a, b] = co_await make();
    const std::string much = text_of_length(1 << 20);
    task<> writing = create_task(
        [](stream_writer* to, const std::string* what) -> coro<> { co_await to->write(*what); }, &a.writer, &much);
    co_await sleep(std::chrono::minutes(1));
    require(!writing.done(), "a megabyte goes into a stream that nobody reads");
    const bytes all = co_await b.reader.read_exactly(much.size());
    require(all.view() == much, "the bytes that arrive are not those that were sent");
    co_await writing;
    co_await gather(a.writer.aclose(), b.writer.aclose());
}

coro<> end_when_the_other_side_closes(const stream_pair_factory& make) {
    auto [a, b] = co_await make();
    co_await a.writer.write("last words");
    co_await a.writer.aclose();
    const bytes all = co_await b.reader.read_all();
    require(all.view() == "last words", "what was written before close() does not arrive");
    co_await b.writer.aclose();
}

} // namespace

exploration check_stream(const stream_pair_factory& make, const options& how) {
    options partly = how;
    partly.faults.partial = false; // a megabyte, byte by byte, tells nothing more
    exploration all =
        detail::explore_all_of(how, {
                                        [&]() -> coro<> { co_await carry_both_ways(make); },
                                        [&]() -> coro<> { co_await close_by_halves(make); },
                                        [&]() -> coro<> { co_await lose_nothing_when_cancelled(make); },
                                        [&]() -> coro<> { co_await end_when_the_other_side_closes(make); },
                                    });
    if (all.counter_example) return all;
    partly.schedules = std::max<std::size_t>(how.schedules / 50, 1);
    exploration last = explore(partly, [&]() -> coro<> { co_await hold_the_writer_back(make); });
    last.schedules += all.schedules;
    last.choices += all.choices;
    return last;
}

} // namespace rondo::sim
