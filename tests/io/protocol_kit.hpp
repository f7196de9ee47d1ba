// Protocols that write down what they are told, and pairs of connections that have them.
#pragma once

#include "io/io_test.hpp"
#include "io/raw_client.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo::test {

inline std::string text_of(std::span<const std::byte> data) { return std::string(bytes_view(data).view()); }

/// Writes down every call ("made", "data", "eof", "lost", "pause", "resume"), and does what the test has put in its place.
template <class Base = protocol> class recording : public Base {
public:
    void connection_made(transport& t) override {
        to = &t;
        note("made");
        if (on_made) on_made();
    }
    void connection_lost(std::exception_ptr e) override {
        error = e;
        note("lost");
        to = nullptr;
        over.set();
        if (on_lost) on_lost();
    }
    void pause_writing() override {
        note("pause");
        if (on_pause) on_pause();
    }
    void resume_writing() override {
        note("resume");
        resumed.set();
        if (on_resume) on_resume();
    }
    bool eof_received() override {
        note("eof");
        ended.set();
        if (on_eof) on_eof();
        return stays_open;
    }

    /// Data in a row is one "data".
    void note(const char* what) {
        EXPECT_FALSE(inside) << what << " was called from within a call of the transport";
        if (calls.empty() || calls.back() != what || std::string_view(what) != "data") calls.push_back(what);
    }
    /// Until so many bytes have come.
    coro<> has(std::size_t n) {
        while (data.size() < n) {
            news.clear();
            co_await news.wait();
        }
    }

    std::vector<std::string> calls;
    std::string data;
    transport* to = nullptr;
    std::exception_ptr error;
    bool stays_open = false;
    bool inside = false;
    event news, ended, over, resumed;
    std::function<void()> on_made, on_data, on_eof, on_lost, on_pause, on_resume;
};

class recorder : public recording<protocol> {
public:
    void data_received(std::span<const std::byte> bytes) override {
        note("data");
        data += text_of(bytes);
        news.set();
        if (on_data) on_data();
    }
};

using calls = std::vector<std::string>;

/// A protocol and the streams that it talks to.
template <class P = recorder> struct protocol_and_peer {
    std::shared_ptr<rondo::transport> transport;
    std::shared_ptr<P> protocol;
    connection peer;
    server listening;
};

/// The protocol is the side that connects.
template <class P = recorder> coro<protocol_and_peer<P>> protocol_pair(std::shared_ptr<P> p = std::make_shared<P>()) {
    queue<connection> accepted(1);
    auto listening = co_await start_server(
        [&](stream_reader r, stream_writer w) { accepted.put_nowait(connection{std::move(r), std::move(w)}); },
        "127.0.0.1", 0);
    auto [transport, protocol] =
        co_await running_loop().create_connection([p] { return p; }, "127.0.0.1", listening.port());
    connection peer = co_await accepted.get();
    co_return protocol_and_peer<P>{std::move(transport), std::move(protocol), std::move(peer), std::move(listening)};
}

} // namespace rondo::test
