#include "hosts/host_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <string>
#include <string_view>

#include <unistd.h>

namespace mayhem {

namespace {

using namespace std::chrono_literals;

constexpr rondo::duration patience = 5s; // with a client that connects and says nothing

std::string response(std::string_view status, const nlohmann::json& body) {
    const std::string text = body.dump() + "\n";
    return fmt::format(
        "HTTP/1.0 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
        text.size(), text);
}

std::string answer(std::string_view head, const std::string& name, int pid) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    if (!line.starts_with("GET ")) return response("405 Method Not Allowed", {{"error", "only GET is known here"}});
    const std::string_view target = line.substr(4, line.find(' ', 4) - 4);
    if (target != "/health") return response("404 Not Found", {{"error", "there is only /health here"}});
    return response("200 OK", {{"host", name}, {"pid", pid}, {"status", "healthy"}});
}

rondo::coro<> serve(std::string name, int pid, rondo::stream_reader reader, rondo::stream_writer writer) {
    // Whatever goes wrong with one client is the end of that client only.
    auto head = co_await rondo::as_result(rondo::wait_for(reader.read_until("\r\n\r\n"), patience));
    if (head.cancelled()) head.value();
    if (head) {
        const std::string text = answer(head->view(), name, pid);
        auto sent = co_await rondo::as_result(rondo::wait_for(writer.write(text), patience));
        if (sent.cancelled()) sent.value();
    }
    writer.close();
}

void wait_for_end_of_input() {
    std::string ignored;
    while (std::getline(std::cin, ignored)) {}
}

} // namespace

rondo::coro<> live(host_life as) {
    rondo::server server = co_await rondo::start_server(
        [name = as.name, pid = as.pid](rondo::stream_reader reader, rondo::stream_writer writer) {
            return serve(name, pid, std::move(reader), std::move(writer));
        },
        "127.0.0.1", 0);
    co_await as.tell_port(server.port());
    co_await as.until_end();
    server.close();
}

rondo::coro<> host_main(host_settings settings) {
    return live({.name = settings.name,
                 .pid = ::getpid(),
                 .tell_port = [](std::uint16_t port) -> rondo::coro<> {
                     std::cout << port << '\n' << std::flush;
                     co_return;
                 },
                 .until_end = []() -> rondo::coro<> { co_await rondo::to_thread(wait_for_end_of_input); }});
}

} // namespace mayhem
