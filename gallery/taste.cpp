// A taste of the library: what an asyncio program looks like in C++.
//
// The README shows the region below.

// region taste
#include <rondo/rondo.hpp>

#include <cstdio>
using namespace std::chrono_literals;

rondo::coro<int> answer(std::string host, std::chrono::milliseconds latency) {
    co_await rondo::sleep(latency);
    if (host == "beta") throw std::runtime_error("no route to " + host);
    co_return static_cast<int>(host.size());
}

rondo::coro<> shout(rondo::stream_reader reader, rondo::stream_writer writer) {
    while (auto line = co_await reader.read_line()) co_await writer.write(line->str() + line->str());
}

rondo::coro<> program() {
    auto [a, g] = co_await rondo::gather(answer("alpha", 20ms), answer("gamma", 10ms)); // side by side: 20 ms
    std::printf("alpha %d, gamma %d\n", a, g);

    auto late = co_await rondo::move_on_after(10ms, answer("delta", 1h)); // cancelled, and awaited, after 10 ms
    std::printf("delta %s\n", late ? "answered" : "did not answer");

    try { // one fails, the other is cancelled, nothing is left behind, nothing is lost
        co_await rondo::task_group::run([](rondo::task_group& group) -> rondo::coro<> {
            group.create_task(answer, "alpha", 1h);
            group.create_task(answer, "beta", 1ms);
            co_return;
        });
    } catch (const rondo::exception_group& errors) {
        std::fputs(errors.tree().c_str(), stdout);
    }

    auto server = co_await rondo::start_server(shout, "127.0.0.1", 0);
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", server.port());
    co_await writer.write("ho! ");
    co_await writer.write("hey\n");
    std::fputs((co_await reader.read_exactly(16)).str().c_str(), stdout);
}

int main() { rondo::run(program); }
// endregion
