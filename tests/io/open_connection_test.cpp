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
RONDO_IN_EACH_WORLD(OpenConnection);

/// A loopback port. closed: nobody listens there. silent: the queue of its listener is full, so that a connect() hangs.
class port_of {
public:
    enum class kind { closed, silent };
    port_of(const test::world_calls& w, kind k) : world_(w), fd_(w.socket()), where_(w.bind(fd_)) {
        if (k == kind::closed) return; // bound and not listening: connecting is refused, and nobody else gets the port
        world_.listen(fd_, 0);
        for (int& filler : fillers_) {
            filler = world_.socket();
            world_.begin_connect(filler, where_);
        }
    }
    ~port_of() {
        world_.close(fd_);
        for (const int filler : fillers_) {
            if (filler >= 0) world_.close(filler);
        }
    }
    port_of(const port_of&) = delete;
    port_of& operator=(const port_of&) = delete;
    std::uint16_t number() const noexcept { return where_.port(); }
    address where() const { return where_; }

private:
    const test::world_calls world_;
    const int fd_;
    const address where_;
    std::array<int, 4> fillers_{-1, -1, -1, -1};
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
    run_io([this]() -> coro<> {
        const port_of nobody(world(), port_of::kind::closed);
        auto r = co_await as_result(open_connection("127.0.0.1", nobody.number()));
        const auto* e = detail::exception_cast<connection_refused_error>(r.error());
        EXPECT_TRUE(e && std::string(e->what()).find(nobody.where().str()) != std::string::npos);
    });
}

/// The machine's names.
class OpenConnectionByName : public test::io_test {};
RONDO_ON_EACH_BACKEND(OpenConnectionByName);

TEST_P(OpenConnectionByName, ANameIsResolved) {
    run_io([]() -> coro<> {
        auto s = co_await start_server([](stream_reader, stream_writer w) { w.write_nowait("hi"); }, "localhost", 0);
        auto [reader, writer] = co_await open_connection("localhost", s.port());
        EXPECT_EQ(co_await reader.read_all(), "hi");
    });
}

TEST_P(OpenConnectionByName, ANameThatCannotBeSaysSo) {
    run_io([]() -> coro<> {
        auto r = co_await as_result(open_connection("not a host name", 1));
        const auto* e = detail::exception_cast<std::system_error>(r.error());
        EXPECT_TRUE(e && std::string(e->what()).find("cannot resolve 'not a host name'") != std::string::npos);
    });
}

TEST_P(OpenConnection, TheNextAddressIsTriedWhenOneFails) {
    run_io([this]() -> coro<> {
        const port_of nobody(world(), port_of::kind::closed);
        auto s = co_await listening();
        const address there("127.0.0.1", s.port());
        EXPECT_EQ(co_await winner_of({nobody.where(), there}, {.happy_eyeballs_delay = no_timeout}), there);
    });
}

TEST_P(OpenConnection, CancellingClosesTheSockets) {
    run_io([this]() -> coro<> {
        const port_of silent(world(), port_of::kind::silent);
        const std::size_t before = world().open_descriptors();
        auto t = create_task(
            [&]() -> coro<connection> { co_return co_await open_connection("127.0.0.1", silent.number()); });
        co_await pass_by(70);
        EXPECT_FALSE(t.done());
        t.cancel();
        EXPECT_TRUE((co_await as_result(std::move(t))).cancelled());
        EXPECT_EQ(world().open_descriptors(), before);
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
