#include "broker/request.hpp"

#include "base/errors.hpp"

#include <nlohmann/json.hpp>
#include <rondo/rondo.hpp>

namespace mayhem {

namespace {

constexpr std::size_t longest_name = 256; // of a host or an id

std::string name_in(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) {
        throw restart_impossible(std::string("malformed request: no text at \"") + key + '"');
    }
    auto value = found->get<std::string>();
    if (value.empty() || value.size() > longest_name) {
        throw restart_impossible(std::string("malformed request: \"") + key + "\" is empty or longer than 256 bytes");
    }
    return value;
}

} // namespace

wall_time wall_now() { return std::chrono::floor<std::chrono::milliseconds>(rondo::wall_clock::now()); }

std::string encode(const request& r) {
    return nlohmann::json{{"id", r.id}, {"host", r.host}, {"requested_at", r.requested_at.time_since_epoch().count()}}
        .dump();
}

request decode_request(std::string_view payload) {
    const nlohmann::json object = nlohmann::json::parse(payload, nullptr, false);
    if (!object.is_object()) throw restart_impossible("malformed request: not a JSON object");
    const auto at = object.find("requested_at");
    if (at == object.end() || !at->is_number_integer()) {
        throw restart_impossible("malformed request: no whole number at \"requested_at\"");
    }
    return {.id = name_in(object, "id"),
            .host = name_in(object, "host"),
            .requested_at = wall_time(std::chrono::milliseconds(at->get<std::int64_t>()))};
}

} // namespace mayhem
