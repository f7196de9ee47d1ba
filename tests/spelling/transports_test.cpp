// Section 13: transports and protocols.
#include "spelling/spelled.hpp"

#include <csignal>

namespace rondo::spelling::of_transports {

struct tag {
    using type = int;
    static std::optional<int> of(const base_transport&) { return 1; }
};

void base(base_transport& t) {
    static_assert(stays<base_transport> && std::has_virtual_destructor_v<base_transport>);
    static_assert(std::derived_from<transport, base_transport> &&
                  std::derived_from<datagram_transport, base_transport> &&
                  std::derived_from<subprocess_transport, base_transport>);
    GIVES(void, t.close());
    GIVES(void, t.abort());
    GIVES(bool, t.is_closing());
    GIVES(address, t.peer_address());
    GIVES(address, t.local_address());
    GIVES(int, t.fd());
    GIVES(std::optional<int>, t.get_extra<tag>());
}

void streams(transport& t, const std::vector<bytes_view>& pieces, std::shared_ptr<protocol> p) {
    GIVES(void, t.write("x"));
    GIVES(void, t.writelines(pieces));
    GIVES(void, t.write_eof());
    GIVES(bool, t.can_write_eof());
    GIVES(void, t.set_write_buffer_limits());
    GIVES(void, t.set_write_buffer_limits({.high = 100}));
    GIVES(void, t.set_write_buffer_limits({.high = 100, .low = 10}));
    using limits = std::pair<std::size_t, std::size_t>;
    GIVES(limits, t.get_write_buffer_limits());
    GIVES(std::size_t, t.get_write_buffer_size());
    GIVES(void, t.pause_reading());
    GIVES(void, t.resume_reading());
    GIVES(bool, t.is_reading());
    GIVES(void, t.set_protocol(p));
    GIVES(std::shared_ptr<protocol>, t.get_protocol());
}

void datagrams(datagram_transport& t) {
    GIVES(void, t.sendto("x"));
    GIVES(void, t.sendto("x", address("127.0.0.1", 1)));
    GIVES(void, t.set_write_buffer_limits());
    GIVES(void, t.set_write_buffer_limits({.low = 10}));
    GIVES(std::size_t, t.get_write_buffer_size());
}

void processes(subprocess_transport& t) {
    GIVES(int, t.get_pid());
    GIVES(std::optional<int>, t.get_returncode());
    GIVES(rondo::transport*, t.get_pipe_transport(1));
    GIVES(void, t.send_signal(SIGTERM));
    GIVES(void, t.terminate());
    GIVES(void, t.kill());
}

struct mine : protocol {
    void connection_made(transport&) override {}
    void data_received(std::span<const std::byte>) override {}
    bool eof_received() override { return true; }
    void connection_lost(std::exception_ptr) override {}
    void pause_writing() override {}
    void resume_writing() override {}
};
struct mine_buffered : buffered_protocol {
    std::span<std::byte> get_buffer(std::size_t) override { return room; }
    void buffer_updated(std::size_t) override {}
    std::array<std::byte, 100> room{};
};
struct mine_datagrams : datagram_protocol {
    void connection_made(datagram_transport&) override {}
    void datagram_received(std::span<const std::byte>, const address&) override {}
    void error_received(std::exception_ptr) override {}
};
struct mine_process : subprocess_protocol {
    void connection_made(subprocess_transport&) override {}
    void pipe_data_received(int, std::span<const std::byte>) override {}
    void pipe_connection_lost(int, std::exception_ptr) override {}
    void process_exited() override {}
    void connection_lost(std::exception_ptr) override {}
};
struct silent : protocol {};

static_assert(std::derived_from<protocol, base_protocol> && std::derived_from<buffered_protocol, protocol> &&
              std::derived_from<datagram_protocol, base_protocol> &&
              std::derived_from<subprocess_protocol, base_protocol>);

TEST(Spelling, Protocols) {
    EXPECT_EQ(mine_buffered().get_buffer(1).size(), 100u);
    EXPECT_TRUE(mine().eof_received());
    EXPECT_FALSE(silent().eof_received());
    mine_datagrams().error_received(nullptr);
    mine_process().process_exited();
}

} // namespace rondo::spelling::of_transports
