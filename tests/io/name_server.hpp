// A DNS server (RFC 1035) on loopback, as much of one as a resolver's tests need: it answers A and AAAA over UDP.
#pragma once

#include <rondo/rondo.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo::test {

class name_server {
public:
    name_server() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        ::sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::socklen_t size = sizeof a;
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const ::sockaddr*>(&a), size), 0);
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<::sockaddr*>(&a), &size), 0);
        where_ = address("127.0.0.1", ntohs(a.sin_port));
    }

    const address& where() const noexcept { return where_; }
    std::map<std::string, std::vector<std::string>> names; // numeric addresses; what is not here does not exist
    std::set<std::string> silent;                          // no answer
    std::set<std::string> failing;                         // SERVFAIL
    std::vector<std::pair<std::string, int>> questions;    // name, type
    event asked;

    /// Answers until it is cancelled.
    coro<> serve() {
        for (;;) {
            auto [question, from] = co_await running_loop().sock_recvfrom(socket_.get(), 512);
            if (const auto reply = answer(question.view()))
                co_await running_loop().sock_sendto(socket_.get(), *reply, from);
        }
    }

private:
    enum type { a = 1, aaaa = 28 };
    enum code { no_error = 0, server_failure = 2, no_such_name = 3 };

    static void put16(std::string& to, unsigned value) {
        to += static_cast<char>(value >> 8);
        to += static_cast<char>(value);
    }
    static unsigned get16(std::string_view from, std::size_t at) {
        return static_cast<unsigned char>(from[at]) * 256u + static_cast<unsigned char>(from[at + 1]);
    }

    /// One resource record that points back to the question's name (at 12).
    static std::string record(const std::string& ip, type wanted) {
        char raw[16];
        const bool v6 = ip.find(':') != std::string::npos;
        if (v6 != (wanted == aaaa) || ::inet_pton(v6 ? AF_INET6 : AF_INET, ip.c_str(), raw) != 1) return {};
        std::string text;
        put16(text, 0xc00c);
        put16(text, wanted);
        put16(text, 1); // IN
        put16(text, 0);
        put16(text, 60); // seconds to live
        put16(text, v6 ? 16 : 4);
        text.append(raw, v6 ? 16 : 4);
        return text;
    }

    std::optional<std::string> answer(std::string_view question) {
        constexpr std::size_t header = 12;
        std::string name;
        std::size_t at = header;
        while (question[at] != 0) {
            const auto length = static_cast<unsigned char>(question[at]);
            name += (name.empty() ? "" : ".") + std::string(question.substr(at + 1, length));
            at += 1u + length;
        }
        const std::size_t end = at + 5; // the root, type and class
        const auto wanted = static_cast<type>(get16(question, at + 1));
        questions.emplace_back(name, wanted);
        asked.set();
        if (silent.contains(name)) return std::nullopt;

        const auto known = names.find(name);
        const code result = failing.contains(name) ? server_failure : known == names.end() ? no_such_name : no_error;
        std::string records;
        unsigned count = 0;
        if (result == no_error) {
            for (const std::string& ip : known->second) {
                const std::string one = record(ip, wanted);
                count += !one.empty();
                records += one;
            }
        }
        std::string reply(question.substr(0, 2));
        put16(reply, 0x8180u | static_cast<unsigned>(result)); // a response, recursion desired and available
        put16(reply, 1);
        put16(reply, count);
        put16(reply, 0);
        put16(reply, 0);
        reply += question.substr(header, end - header);
        return reply + records;
    }

    unique_fd socket_;
    address where_;
};

} // namespace rondo::test
