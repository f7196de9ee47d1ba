#include "hosts/health_probe.hpp"

#include "base/errors.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace mayhem {

namespace {

health parse_health(std::string_view response) {
    const std::string_view status_line = response.substr(0, response.find("\r\n"));
    const std::size_t body = response.find("\r\n\r\n");
    if (!status_line.starts_with("HTTP/1.") || status_line.find(" 200 ") == std::string_view::npos ||
        body == std::string_view::npos) {
        throw restart_failed("the health page answers '" + std::string(status_line) + "'");
    }
    const nlohmann::json page = nlohmann::json::parse(response.substr(body + 4), nullptr, false);
    if (!page.is_object() || page.value("status", "") != "healthy")
        throw restart_failed("the health page does not say healthy");
    return {.host = page.value("host", ""), .pid = page.value("pid", 0)};
}

} // namespace

rondo::coro<health> probe_health(std::uint16_t port) {
    auto [reader, writer] = co_await rondo::open_connection("127.0.0.1", port);
    co_await writer.write("GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n");
    const rondo::bytes response = co_await reader.read_all();
    co_await writer.aclose();
    co_return parse_health(response.view());
}

} // namespace mayhem
