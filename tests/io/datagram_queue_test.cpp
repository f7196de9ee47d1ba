// What waits in a datagram endpoint: how it is counted, and what becomes of it.
#include "io/io_test.hpp"

#include "io/socket_pair.hpp"
#include "support/temporary_directory.hpp"

#include <sys/un.h>

namespace rondo {
namespace {

using test::pass_by;
using calls = std::vector<std::string>;

class recorder : public datagram_protocol {
public:
    void connection_made(datagram_transport&) override { calls.push_back("made"); }
    void pause_writing() override { calls.push_back("pause"); }
    void resume_writing() override { calls.push_back("resume"); }
    void datagram_received(std::span<const std::byte> data, const address&) override {
        received.emplace_back(bytes_view(data).view());
        news.set();
    }
    void connection_lost(std::exception_ptr e) override {
        EXPECT_EQ(e, nullptr);
        calls.push_back("lost");
        over.set();
    }
    std::vector<std::string> calls;
    std::vector<std::string> received;
    event news, over;
};

/// A receiver that takes a datagram when the test says so; before that it holds a dozen (net.unix.max_dgram_qlen).
class slow_receiver {
public:
    explicit slow_receiver(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        ::sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path.copy(name.sun_path, sizeof name.sun_path - 1);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const ::sockaddr*>(&name), sizeof name), 0);
    }
    slow_receiver(const slow_receiver&) = delete;
    slow_receiver& operator=(const slow_receiver&) = delete;
    ~slow_receiver() { ::close(fd_); }
    std::optional<std::string> take() const {
        std::string data(1000, '\0');
        const ssize_t n = ::recv(fd_, data.data(), data.size(), MSG_DONTWAIT);
        if (n < 0) return std::nullopt;
        data.resize(static_cast<std::size_t>(n));
        return data;
    }

private:
    int fd_;
};

/// Of the kernel: how many datagrams a kernel queues.
class DatagramQueue : public test::io_test {
protected:
    coro<endpoint<recorder, datagram_transport>> connected_to(std::string path) {
        return loop().create_datagram_endpoint([] { return std::make_shared<recorder>(); },
                                               {.remote_address = address::unix_path(path)});
    }
    test::temporary_directory folder;
};
RONDO_ON_EACH_BACKEND(DatagramQueue);

TEST_P(DatagramQueue, EachCountsEightBytesMoreThanItHas) {
    const std::string path = folder / "slow";
    const slow_receiver receiver(path);
    run_io([&]() -> coro<> {
        auto [t, p] = co_await connected_to(path);
        t->set_write_buffer_limits({.high = 1'000'000});
        EXPECT_EQ(t->get_write_buffer_size(), 0u);
        int sent = 0;
        for (; t->get_write_buffer_size() < 500; ++sent) t->sendto(std::string(100, 'x'));
        co_await pass_by(3);
        const std::size_t before = t->get_write_buffer_size();
        EXPECT_EQ(before % 108, 0u);
        t->sendto("");
        EXPECT_EQ(t->get_write_buffer_size(), before + 8);
        t->sendto("abc");
        EXPECT_EQ(t->get_write_buffer_size(), before + 8 + 11);
        // The mark is reached by what they count, not by what they have.
        t->set_write_buffer_limits({.high = before + 8 + 11, .low = 0});
        EXPECT_EQ(p->calls, calls{"made"});
        t->sendto("");
        EXPECT_EQ(p->calls, (calls{"made", "pause"}));
        for (int left = sent + 3; left > 0;) {
            if (receiver.take()) --left;
            else co_await yield();
        }
        while (p->calls.size() < 3) co_await yield();
        EXPECT_EQ(p->calls.back(), "resume");
        EXPECT_EQ(t->get_write_buffer_size(), 0u);
        t->abort();
    });
}

TEST_P(DatagramQueue, CloseSendsItAndTellsAfterwards) {
    const std::string path = folder / "slow";
    const slow_receiver receiver(path);
    run_io([&]() -> coro<> {
        auto [t, p] = co_await connected_to(path);
        constexpr int count = 100;
        for (int i = 0; i < count; ++i) t->sendto(std::to_string(i));
        EXPECT_GT(t->get_write_buffer_size(), 0u);
        t->close();
        co_await pass_by(70);
        EXPECT_EQ(p->calls, calls{"made"});
        EXPECT_GE(t->fd(), 0);
        for (int i = 0; i < count; ++i) {
            std::optional<std::string> data;
            while (!(data = receiver.take())) co_await yield();
            EXPECT_EQ(*data, std::to_string(i));
        }
        co_await p->over.wait();
        EXPECT_EQ(p->calls, (calls{"made", "lost"}));
        EXPECT_EQ(t->fd(), -1);
    });
}

TEST_P(DatagramQueue, AbortDropsIt) {
    const std::string path = folder / "slow";
    const slow_receiver receiver(path);
    run_io([&]() -> coro<> {
        auto [t, p] = co_await connected_to(path);
        constexpr int count = 100;
        for (int i = 0; i < count; ++i) t->sendto(std::to_string(i));
        t->abort();
        co_await p->over.wait();
        EXPECT_EQ(t->get_write_buffer_size(), 0u);
        int arrived = 0;
        while (auto data = receiver.take()) EXPECT_EQ(*data, std::to_string(arrived++));
        co_await pass_by(70);
        EXPECT_FALSE(receiver.take());
        EXPECT_LT(arrived, count);
        EXPECT_EQ(p->calls, (calls{"made", "lost"}));
    });
}

TEST_P(DatagramQueue, ItsLimitsCanBeReadBack) {
    run_io([this]() -> coro<> {
        auto [t, p] =
            co_await loop().create_datagram_endpoint([] { return std::make_shared<recorder>(); }, {.family = AF_INET});
        using limits = std::pair<std::size_t, std::size_t>;
        EXPECT_EQ(t->get_write_buffer_limits(), limits(16384, 65536));
        t->set_write_buffer_limits({.high = 1000});
        EXPECT_EQ(t->get_write_buffer_limits(), limits(250, 1000));
        EXPECT_THROW(t->set_write_buffer_limits({.high = 1, .low = 2}), value_error);
        EXPECT_EQ(t->get_write_buffer_limits(), limits(250, 1000));
        t->close();
    });
}

TEST_P(DatagramQueue, TheLargestArrivesWhole) {
    run_io([this]() -> coro<> {
        auto [t, p] = co_await loop().create_datagram_endpoint([] { return std::make_shared<recorder>(); },
                                                               {.local_address = address::unix_path(folder / "in")});
        auto [from, q] = co_await connected_to(folder / "in");
        const std::string large = test::pattern(180'000); // what the usual send buffer holds (net.core.wmem_default)
        from->sendto(large);
        co_await p->news.wait();
        EXPECT_TRUE(p->received.front() == large);

        const auto over_ip = [] { return std::make_shared<recorder>(); };
        auto [u, r] = co_await loop().create_datagram_endpoint(over_ip, {.local_address = address("127.0.0.1", 0)});
        auto [v, s] = co_await loop().create_datagram_endpoint(over_ip, {.remote_address = u->local_address()});
        const std::string largest = test::pattern(65'507); // 65535 less the headers of IP and UDP
        v->sendto(largest);
        co_await r->news.wait();
        EXPECT_TRUE(r->received.front() == largest);
        for (const auto& each : {t, from, u, v}) each->abort();
    });
}

} // namespace
} // namespace rondo
