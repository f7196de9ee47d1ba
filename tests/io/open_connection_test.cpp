// Connecting: addresses in order, races, failures, cancellation.
#include "io/io_test.hpp"

#include "io/connect_race.hpp"
#include "io/inbound.hpp"
#include "io/make_stream.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace rondo {
namespace {

using namespace std::chrono_literals;
using test::pass_by;

class OpenConnection : public test::io_test {};
RONDO_ON_EACH_BACKEND(OpenConnection);

/// A loopback port. closed: nobody listens there. silent: the queue of its listener is full, so that a connect() hangs.
class port_of {
public:
    enum class kind { closed, silent };
    explicit port_of(kind k) {
        fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
        ::sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(fd_, reinterpret_cast<const ::sockaddr*>(&at), sizeof at);
        ::socklen_t size = sizeof at;
        ::getsockname(fd_, reinterpret_cast<::sockaddr*>(&at), &size);
        number_ = ntohs(at.sin_port);
        if (k == kind::closed) return; // bound and not listening: connecting is refused, and nobody else gets the port
        ::listen(fd_, 0);
        for (int& filler : fillers_) {
            filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            static_cast<void>(::connect(filler, reinterpret_cast<const ::sockaddr*>(&at), sizeof at));
        }
    }
    ~port_of() {
        ::close(fd_);
        for (const int filler : fillers_) {
            if (filler >= 0) ::close(filler);
        }
    }
    port_of(const port_of&) = delete;
    port_of& operator=(const port_of&) = delete;
    std::uint16_t number() const noexcept { return number_; }
    address where() const { return {"127.0.0.1", number_}; }

private:
    int fd_ = -1;
    std::array<int, 4> fillers_{-1, -1, -1, -1};
    std::uint16_t number_ = 0;
};

coro<server> listening() {
    return start_server([](stream_reader, stream_writer) {}, "127.0.0.1", 0);
}

/// Which of the addresses was reached.
coro<address> winner_of(std::vector<address> addresses, connect_options options = {}) {
    detail::connect_race race(running_loop(), std::move(addresses), options);
    const detail::connected_socket won = co_await race;
    detail::loop_access::backend(running_loop()).os().close(won.fd);
    co_return won.peer;
}

TEST_P(OpenConnection, ARefusedOneNamesTheAddress) {
    run_io([]() -> coro<> {
        const port_of nobody(port_of::kind::closed);
        auto r = co_await as_result(open_connection("127.0.0.1", nobody.number()));
        const auto* e = detail::exception_cast<connection_refused_error>(r.error());
        EXPECT_TRUE(e && std::string(e->what()).find(nobody.where().str()) != std::string::npos);
    });
}

TEST_P(OpenConnection, ANameIsResolved) {
    run_io([]() -> coro<> {
        auto s = co_await start_server([](stream_reader, stream_writer w) { w.write_nowait("hi"); }, "localhost", 0);
        auto [reader, writer] = co_await open_connection("localhost", s.port());
        EXPECT_EQ(co_await reader.read_all(), "hi");
    });
}

TEST_P(OpenConnection, ANameThatCannotBeSaysSo) {
    run_io([]() -> coro<> {
        auto r = co_await as_result(open_connection("not a host name", 1));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && std::string(e->what()).find("cannot resolve 'not a host name'") != std::string::npos);
    });
}

TEST_P(OpenConnection, TheNextAddressIsTriedWhenOneFails) {
    run_io([]() -> coro<> {
        const port_of nobody(port_of::kind::closed);
        auto s = co_await listening();
        const address there("127.0.0.1", s.port());
        EXPECT_EQ(co_await winner_of({nobody.where(), there}, {.happy_eyeballs_delay = no_timeout}), there);
    });
}

TEST_P(OpenConnection, CancellingClosesTheSockets) {
    run_io([]() -> coro<> {
        const port_of silent(port_of::kind::silent);
        const int next = ::dup(0);
        ::close(next);
        auto t = create_task(
            [&]() -> coro<connection> { co_return co_await open_connection("127.0.0.1", silent.number()); });
        co_await pass_by(70);
        EXPECT_FALSE(t.done());
        t.cancel();
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
        const int after = ::dup(0);
        ::close(after);
        EXPECT_EQ(after, next);
    });
}

TEST_P(OpenConnection, BindsToTheLocalAddress) {
    run_io([]() -> coro<> {
        auto s = co_await listening();
        const connection c =
            co_await open_connection("127.0.0.1", s.port(), {.local_address = address("127.0.0.2", 0)});
        EXPECT_EQ(c.writer.local_address().ip(), "127.0.0.2");
        auto other_family =
            co_await as_result(open_connection("127.0.0.1", s.port(), {.local_address = address("::1", 0)}));
        EXPECT_TRUE(other_family.holds<std::system_error>());
    });
}

} // namespace
} // namespace rondo
