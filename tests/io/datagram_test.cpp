// Datagram endpoints: create_datagram_endpoint, their transports and protocols.
#include "io/io_test.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace rondo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::pass_by;
using test::pattern;
using calls = std::vector<std::string>;

class Datagram : public test::io_test {};
RONDO_IN_EACH_WORLD(Datagram);

class recorder : public datagram_protocol {
public:
    void connection_made(datagram_transport& t) override {
        to = &t;
        calls.push_back("made");
    }
    void datagram_received(std::span<const std::byte> data, const address& from) override {
        calls.push_back("datagram");
        received.emplace_back(bytes_view(data).view());
        senders.push_back(from);
        news.set();
        if (on_datagram) on_datagram();
    }
    void error_received(std::exception_ptr e) override {
        calls.push_back("error");
        errors.push_back(e);
        news.set();
    }
    void pause_writing() override { calls.push_back("pause"); }
    void resume_writing() override {
        calls.push_back("resume");
        news.set();
    }
    void connection_lost(std::exception_ptr e) override {
        calls.push_back("lost");
        EXPECT_EQ(e, nullptr);
        over.set();
    }
    /// Until so many calls have been made.
    coro<> had(std::size_t n) {
        while (calls.size() < n) {
            news.clear();
            co_await news.wait();
        }
    }

    datagram_transport* to = nullptr;
    std::vector<std::string> calls;
    std::vector<std::string> received;
    std::vector<address> senders;
    std::vector<std::exception_ptr> errors;
    event news, over;
    std::function<void()> on_datagram;
};

auto recorders() {
    return [] { return std::make_shared<recorder>(); };
}
address here(std::uint16_t port = 0) { return address("127.0.0.1", port); }

coro<endpoint<recorder, datagram_transport>> bound() {
    return running_loop().create_datagram_endpoint(recorders(), {.local_address = here()});
}
coro<endpoint<recorder, datagram_transport>> connected_to(address to) {
    return running_loop().create_datagram_endpoint(recorders(), {.remote_address = std::move(to)});
}

TEST_P(Datagram, EachArrivesWholeWithItsSenderAndIsAnswered) {
    run_io([]() -> coro<> {
        auto [st, server] = co_await bound();
        auto [ct, client] = co_await connected_to(st->local_address());
        EXPECT_EQ(server->calls, calls{"made"}); // it returns after connection_made()
        EXPECT_EQ(ct->peer_address(), st->local_address());
        EXPECT_EQ(st->peer_address(), address());
        const std::string large = pattern(60'000);
        ct->sendto("one");
        ct->sendto("");
        ct->sendto(large, st->local_address());
        co_await server->had(4);
        EXPECT_TRUE(server->received == (std::vector<std::string>{"one", "", large}));
        EXPECT_EQ(server->senders, std::vector<address>(3, ct->local_address()));
        st->sendto("answer", server->senders[0]);
        co_await client->had(2);
        EXPECT_EQ(client->received, std::vector<std::string>{"answer"});
        EXPECT_EQ(client->senders, std::vector{st->local_address()});
    });
}

TEST_P(Datagram, AConnectedOneSendsToNobodyElse) {
    run_io([]() -> coro<> {
        auto [st, server] = co_await bound();
        auto [ct, client] = co_await connected_to(st->local_address());
        EXPECT_THROW(ct->sendto("x", here(9)), value_error);
    });
}

TEST_P(Datagram, WhoSendsToNobodyInParticularGetsAnError) {
    run_io([]() -> coro<> {
        auto [t, p] = co_await bound();
        t->sendto("to whom?");
        co_await p->had(2);
        EXPECT_EQ(p->calls, (calls{"made", "error"}));
        EXPECT_TRUE(detail::exception_cast<std::system_error>(p->errors[0]));
        t->sendto("still alive", t->local_address());
        co_await p->had(3);
        EXPECT_EQ(p->received, std::vector<std::string>{"still alive"});
    });
}

TEST_P(Datagram, ARefusalIsToldAndNotTheEnd) {
    run_io([]() -> coro<> {
        address nobody;
        {
            auto [t, p] = co_await bound();
            nobody = t->local_address();
            t->close();
            co_await p->over.wait();
        }
        auto [t, p] = co_await connected_to(nobody);
        t->sendto("anybody there?");
        co_await p->had(2);
        EXPECT_EQ(p->calls, (calls{"made", "error"}));
        EXPECT_TRUE(detail::exception_cast<connection_refused_error>(p->errors[0]));
        EXPECT_FALSE(t->is_closing());
    });
}

TEST_P(Datagram, OneThatIsTooLargeIsAnErrorOfItsOwn) {
    run_io([]() -> coro<> {
        auto [st, server] = co_await bound();
        auto [ct, client] = co_await connected_to(st->local_address());
        ct->sendto(std::string(70'000, 'x'));
        ct->sendto("small");
        co_await server->had(2);
        while (client->errors.empty()) co_await yield();
        const auto* e = detail::exception_cast<std::system_error>(client->errors[0]);
        EXPECT_TRUE(e && e->code() == std::errc::message_size);
        EXPECT_EQ(client->errors.size(), 1u);
        EXPECT_EQ(server->received, std::vector<std::string>{"small"});
    });
}

TEST_P(Datagram, CloseSendsWhatIsQueuedAbortDoesNotAndBothTellOnce) {
    run_io([]() -> coro<> {
        auto [st, server] = co_await bound();
        auto [ct, client] = co_await connected_to(st->local_address());
        for (int i = 0; i < 5; ++i) ct->sendto("x");
        ct->close();
        ct->close();
        ct->sendto("too late");
        EXPECT_TRUE(ct->is_closing());
        EXPECT_EQ(client->calls, calls{"made"}); // not from within close()
        co_await client->over.wait();
        co_await server->had(6);
        EXPECT_EQ(ct->fd(), -1);
        st->abort();
        st->abort();
        co_await server->over.wait();
        co_await pass_by(70);
        EXPECT_EQ(server->received, std::vector<std::string>(5, "x"));
        EXPECT_EQ(std::count(server->calls.begin(), server->calls.end(), "lost"), 1);
    });
}

TEST_P(Datagram, AfterCloseNothingIsReceived) {
    run_io([]() -> coro<> {
        auto [st, server] = co_await bound();
        auto [ct, client] = co_await connected_to(st->local_address());
        server->on_datagram = [&s = *server] { s.to->close(); };
        ct->sendto("one");
        ct->sendto("two");
        co_await server->over.wait();
        EXPECT_EQ(server->calls, (calls{"made", "datagram", "lost"}));
    });
}

class UnixDatagram : public test::io_test {
protected:
    void SetUp() override {
        test::io_test::SetUp();
        std::string name = (fs::temp_directory_path() / "rondo-datagram-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    void TearDown() override {
        test::io_test::TearDown();
        std::error_code ignored;
        fs::remove_all(directory_, ignored);
    }
    std::string path(const char* name) const { return (directory_ / name).string(); }
    coro<endpoint<recorder, datagram_transport>> bound_to(std::string p) {
        return loop().create_datagram_endpoint(recorders(), {.local_address = address::unix_path(p)});
    }

private:
    fs::path directory_;
};
RONDO_ON_EACH_BACKEND(UnixDatagram);

TEST_P(UnixDatagram, AnEndpointThatOutlivesItsLoopDoesNothing) {
    const int receiver = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ::sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path("full").copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(receiver, reinterpret_cast<const ::sockaddr*>(&name), sizeof name), 0);
    std::shared_ptr<datagram_transport> left;
    run_io([&]() -> coro<> {
        auto [t, p] = co_await connected_to(address::unix_path(path("full")));
        t->set_write_buffer_limits({.high = 1000, .low = 0});
        for (int i = 0; i < 200; ++i) t->sendto(std::string(100, 'x'));
        EXPECT_EQ(p->calls, (calls{"made", "pause"}));
        t->abort();
        left = t;
    });
    end_loop();
    left->set_write_buffer_limits();
    left->sendto("x");
    left->close();
    left->abort();
    EXPECT_EQ(left->fd(), -1);
    EXPECT_EQ(left->local_address(), address());
    ::close(receiver);
}

TEST_P(UnixDatagram, WritingIsPausedWhileTheReceiverIsSlowAndNothingIsLost) {
    run_io([this]() -> coro<> {
        const int receiver = ::socket(AF_UNIX, SOCK_DGRAM, 0);
        ::sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path("slow").copy(name.sun_path, sizeof name.sun_path - 1);
        EXPECT_EQ(::bind(receiver, reinterpret_cast<const ::sockaddr*>(&name), sizeof name), 0);
        auto [t, p] = co_await connected_to(address::unix_path(path("slow")));
        constexpr int count = 200; // a queue of a Unix socket holds fewer (net.unix.max_dgram_qlen)
        t->set_write_buffer_limits({.high = 1000, .low = 0});
        for (int i = 0; i < count; ++i) t->sendto(std::string(100, static_cast<char>('a' + i % 26)));
        EXPECT_GT(t->get_write_buffer_size(), 1000u);
        co_await pass_by(70);
        EXPECT_EQ(p->calls, (calls{"made", "pause"}));
        for (int i = 0; i < count; ++i) {
            std::string data(200, '\0');
            ssize_t n = -1;
            while ((n = ::recv(receiver, data.data(), data.size(), MSG_DONTWAIT)) < 0) co_await yield();
            EXPECT_EQ(data.substr(0, static_cast<std::size_t>(n)), std::string(100, static_cast<char>('a' + i % 26)));
        }
        co_await p->had(3);
        EXPECT_EQ(p->calls, (calls{"made", "pause", "resume"}));
        EXPECT_EQ(t->get_write_buffer_size(), 0u);
        ::close(receiver);
    });
}

TEST_P(UnixDatagram, PathsWorkAndAStaleSocketIsReplaced) {
    run_io([this]() -> coro<> {
        for (int i = 0; i < 2; ++i) { // the second finds the file of the first
            auto [at, a] = co_await bound_to(path("a"));
            EXPECT_EQ(at->local_address(), address::unix_path(path("a")));
            const datagram_options both{.local_address = address::unix_path(path("b")),
                                        .remote_address = address::unix_path(path("a"))};
            auto [bt, b] = co_await loop().create_datagram_endpoint(recorders(), both);
            bt->sendto("hello");
            co_await a->had(2);
            EXPECT_EQ(a->received, std::vector<std::string>{"hello"});
            EXPECT_EQ(a->senders, std::vector{address::unix_path(path("b"))});
            at->close();
            bt->close();
            co_await a->over.wait();
            co_await b->over.wait();
        }
    });
}

TEST_P(UnixDatagram, ASocketInUseAndAnotherFileAreLeftAlone) {
    std::ofstream(path("file")) << "precious";
    run_io([this]() -> coro<> {
        auto [t, p] = co_await bound_to(path("a"));
        for (const char* name : {"a", "file"}) {
            const auto r = co_await as_result(bound_to(path(name)));
            const auto* e = detail::exception_cast<std::system_error>(r.error());
            EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
            EXPECT_TRUE(e && std::string(e->what()).find(path(name)) != std::string::npos);
        }
        t->sendto("me", t->local_address());
        co_await p->had(2);
        EXPECT_TRUE(fs::is_regular_file(path("file")));
    });
}

TEST_P(Datagram, AnAddressOrAFamilyIsNeeded) {
    run_io([this]() -> coro<> {
        EXPECT_TRUE((co_await as_result(loop().create_datagram_endpoint(recorders(), {}))).holds<value_error>());
        auto [t, p] = co_await loop().create_datagram_endpoint(recorders(), {.family = AF_INET});
        const datagram_options mixed{.local_address = here(), .remote_address = address("::1", 9)};
        EXPECT_TRUE((co_await as_result(loop().create_datagram_endpoint(recorders(), mixed))).holds<value_error>());
        const datagram_options wrong{.local_address = here(), .family = AF_INET6};
        EXPECT_TRUE((co_await as_result(loop().create_datagram_endpoint(recorders(), wrong))).holds<value_error>());
        t->close();
        co_await p->over.wait();
    });
}

TEST_P(Datagram, AddressesThatCannotBeHadAreErrorsThatNameThem) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await bound();
        const auto r =
            co_await as_result(loop().create_datagram_endpoint(recorders(), {.local_address = t->local_address()}));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && e->code() == std::errc::address_in_use);
        EXPECT_TRUE(e && std::string(e->what()).find(t->local_address().str()) != std::string::npos);
    });
}

TEST_P(Datagram, ReusePortSharesAnAddress) {
    run_io([this]() -> coro<> {
        auto [t, p] =
            co_await loop().create_datagram_endpoint(recorders(), {.local_address = here(), .reuse_port = true});
        auto [t2, p2] = co_await loop().create_datagram_endpoint(
            recorders(), {.local_address = t->local_address(), .reuse_port = true});
        EXPECT_EQ(t->local_address(), t2->local_address());
    });
}

TEST_P(Datagram, WithBroadcastTheRemoteAddressIsADefaultAndAnybodyMayAnswer) {
    run_io([this]() -> coro<> {
        auto [st, server] = co_await bound();
        auto [other, ignored] = co_await bound();
        auto [ct, client] = co_await loop().create_datagram_endpoint(
            recorders(), {.local_address = here(), .remote_address = st->local_address(), .allow_broadcast = true});
        int on = 0;
        EXPECT_EQ(detail::loop_access::backend(loop()).os().get_option(ct->fd(), SOL_SOCKET, SO_BROADCAST, on), 0);
        EXPECT_EQ(on, 1);
        ct->sendto("question");
        co_await server->had(2);
        other->sendto("answer", server->senders[0]);
        co_await client->had(2);
        EXPECT_EQ(client->senders, std::vector{other->local_address()});
    });
}

TEST_P(Datagram, WhatAProtocolThrowsIsReportedAndTheEndpointGoesOn) {
    run_io([this]() -> coro<> {
        auto [st, server] = co_await bound();
        auto [ct, client] = co_await connected_to(st->local_address());
        server->on_datagram = [] { throw value_error("no"); };
        ct->sendto("one");
        ct->sendto("two");
        co_await server->had(3);
        co_await pass_by(3);
        EXPECT_EQ(server->received.size(), 2u);
        const auto told = reports.take();
        EXPECT_EQ(told.size(), 2u);
        for (const test::report& r : told) EXPECT_TRUE(r.mentions("datagram_received()") && r.holds<value_error>());
    });
}

TEST_P(Datagram, WhatTheFactoryThrowsIsThrown) {
    run_io([this]() -> coro<> {
        const auto fails = []() -> std::shared_ptr<recorder> { throw value_error("no protocol today"); };
        EXPECT_TRUE((co_await as_result(loop().create_datagram_endpoint(fails, {.local_address = here()})))
                        .holds<value_error>());
    });
}

TEST_P(Datagram, TheEndOfTheLoopIsTold) {
    std::shared_ptr<recorder> kept;
    run_io([&]() -> coro<> {
        auto [t, p] = co_await bound();
        kept = p;
    });
    EXPECT_EQ(kept->calls, calls{"made"}); // the loop keeps an endpoint that nobody holds
    end_loop();
    EXPECT_EQ(kept->calls, (calls{"made", "lost"}));
}

} // namespace
} // namespace rondo
