// Section 12: the event loop.
#include "spelling/spelled.hpp"

#include <csignal>

namespace rondo::spelling::of_loop {

coro<int> number(int n) { co_return n; }
coro<> nothing() { co_return; }

void running(event_loop& loop, task<int> t) {
    static_assert(stays<event_loop>);
    event_loop with_options({.backend = backend_kind::epoll, .debug = true});
    GIVES(void, loop.run_forever());
    GIVES(int, loop.run_until_complete(number(1)));
    GIVES(void, loop.run_until_complete(nothing()));
    GIVES(int, loop.run_until_complete(t));
    GIVES(void, loop.stop());
    GIVES(bool, loop.run_once(0s));
    GIVES(bool, loop.run_once(no_timeout));
    GIVES(int, loop.poll_fd());
    GIVES(bool, loop.is_running());
    GIVES(bool, loop.is_closed());
    GIVES(void, loop.close());
    GIVES(event_loop&, running_loop());
    GIVES(event_loop*, running_loop_or_null());
}

void scheduling(event_loop& loop) {
    GIVES(handle, loop.call_soon([] {}));
    GIVES(handle,
          loop.call_soon([p = std::make_unique<int>(1)] { static_cast<void>(p); }, {.context = copy_context()}));
    GIVES(handle, loop.call_soon_threadsafe([] {}));
    GIVES(handle, loop.call_soon_threadsafe([] {}, {}));
    GIVES(timer_handle, loop.call_later(1s, [] {}));
    GIVES(timer_handle, loop.call_later(0.5s, [] {}, {}));
    GIVES(timer_handle, loop.call_at(clock::now() + 1s, [] {}));
    GIVES(time_point, loop.time());
    handle none;
    handle h = loop.call_soon([] {});
    GIVES(void, h.cancel());
    GIVES(bool, h.cancelled());
    GIVES(context, h.context());
    GIVES(bool, h == none);
    timer_handle timer = loop.call_later(1s, [] {});
    static_assert(std::derived_from<timer_handle, handle>);
    GIVES(time_point, timer.when());
    GIVES(future<int>, loop.create_future<int>());
    GIVES(future<>, loop.create_future());
    GIVES(task<int>, loop.create_task(number(1)));
    GIVES(task<int>, loop.create_task(number(1), {.name = "x"}));
    GIVES(task<int>, loop.create_task(number, 1));
}

void handlers(event_loop& loop) {
    loop.set_exception_handler([](event_loop& l, const error_context& what) {
        IS(const std::string&, (what.message));
        IS(const std::exception_ptr&, (what.exception));
        IS(const any_future&, (what.future));
        IS(const any_task&, (what.task));
        IS(const rondo::handle&, (what.handle));
        IS(rondo::transport* const&, (what.transport));
        IS(const std::optional<std::source_location>&, (what.created_at));
        l.default_exception_handler(what);
    });
    loop.set_exception_handler(nullptr);
    const exception_handler kept = [](event_loop&, const error_context&) {};
    loop.set_exception_handler(kept);
    GIVES(void, loop.call_exception_handler({.message = "x", .exception = nullptr}));
    GIVES(bool, loop.debug());
    GIVES(void, loop.set_debug(true));
    GIVES(duration, loop.slow_callback_duration());
    GIVES(void, loop.set_slow_callback_duration(1ms));
    GIVES(void, loop.add_signal_handler(SIGUSR1, [] {}));
    GIVES(bool, loop.remove_signal_handler(SIGUSR1));
}

coro<> descriptors(event_loop& loop, int fd, std::span<std::byte> buffer) {
    GIVES(void, loop.add_reader(fd, [] {}));
    GIVES(void, loop.add_writer(fd, [p = std::make_unique<int>(1)] { static_cast<void>(p); }));
    GIVES(bool, loop.remove_reader(fd));
    GIVES(bool, loop.remove_writer(fd));
    AWAITS(void, loop.readable(fd));
    AWAITS(void, loop.writable(fd));
    GIVES(void, loop.notify_closing(fd));
    AWAITS(bytes, loop.sock_recv(fd, 10));
    AWAITS(std::size_t, loop.sock_recv_into(fd, buffer));
    using from = std::pair<bytes, address>;
    AWAITS(from, loop.sock_recvfrom(fd, 10));
    AWAITS(void, loop.sock_sendall(fd, "x"));
    AWAITS(std::size_t, loop.sock_sendto(fd, "x", address("127.0.0.1", 1)));
    AWAITS(void, loop.sock_connect(fd, address("127.0.0.1", 1)));
    using accepted = std::pair<int, address>;
    AWAITS(accepted, loop.sock_accept(fd));
}

struct mine : protocol {};
struct mine_too : datagram_protocol {};
struct mine_as_well : subprocess_protocol {};

coro<> protocols(event_loop& loop, int fd) {
    const auto factory = [] { return std::make_shared<mine>(); };
    static_assert(std::same_as<factory_protocol_t<decltype(factory)>, mine>);
    AWAITS(endpoint<mine>, loop.create_connection(factory, "localhost", 80));
    AWAITS(endpoint<mine>, loop.create_connection(factory, "localhost", 80, {.all_errors = true}));
    AWAITS(server, loop.create_server(factory, "", 0));
    AWAITS(server, loop.create_server(factory, "", 0, {.backlog = 5}));
    AWAITS(endpoint<mine>, loop.create_unix_connection(factory, "/tmp/x"));
    AWAITS(endpoint<mine>, loop.create_unix_connection(factory, "/tmp/x", {}));
    AWAITS(server, loop.create_unix_server(factory, "/tmp/x"));
    AWAITS(server, loop.create_unix_server(factory, "/tmp/x", {.cleanup_socket = false}));
    AWAITS(endpoint<mine>, loop.connect_accepted_socket(factory, fd));
    AWAITS(endpoint<mine>, loop.connect_accepted_socket(factory, fd, {}));
    using datagrams = endpoint<mine_too, datagram_transport>;
    AWAITS(datagrams, loop.create_datagram_endpoint([] { return std::make_shared<mine_too>(); },
                                                    {.local_address = address("127.0.0.1", 0),
                                                     .remote_address = std::nullopt,
                                                     .family = 0,
                                                     .reuse_port = false,
                                                     .allow_broadcast = false}));
    AWAITS(endpoint<mine>, loop.connect_read_pipe(factory, fd));
    AWAITS(endpoint<mine>, loop.connect_write_pipe(factory, fd));
    using child = endpoint<mine_as_well, subprocess_transport>;
    const auto childs = [] { return std::make_shared<mine_as_well>(); };
    AWAITS(child, loop.subprocess_exec(childs, {"ls", "-l"}));
    AWAITS(child, loop.subprocess_exec(childs, {"ls"}, {.out = stdio::pipe}));
    AWAITS(child, loop.subprocess_shell(childs, "ls"));
    AWAITS(child, loop.subprocess_shell(childs, "ls", {.out = stdio::pipe}));
    auto [transport, protocol] = co_await loop.create_connection(factory, "localhost", 80);
    static_assert(std::same_as<decltype(transport), std::shared_ptr<rondo::transport>> &&
                  std::same_as<decltype(protocol), std::shared_ptr<mine>>);
}

struct own_executor : executor {
    void submit(std::function<void()> work) override { work(); }
};

coro<> executors(event_loop& loop) {
    own_executor own;
    thread_pool pool;
    thread_pool named(2, "mine");
    named.submit([] {});
    GIVES(future<int>, loop.run_in_executor(nullptr, [](int n) { return n; }, 1));
    GIVES(future<void>, loop.run_in_executor(&own, [] {}));
    GIVES(void, loop.set_default_executor(std::make_shared<thread_pool>(1)));
    AWAITS(void, loop.shutdown_default_executor());
    AWAITS(void, loop.shutdown_default_executor(1s));
    AWAITS(void, loop.shutdown_asyncgens());
}

coro<> signals() {
    static_assert(std::is_move_constructible_v<signal_receiver> && !std::is_copy_constructible_v<signal_receiver>);
    signal_receiver s({SIGTERM, SIGINT});
    AWAITS(std::optional<int>, s.next());
    GIVES(void, s.close());
}

TEST(Spelling, EventLoop) {
    event_loop loop;
    scheduling(loop);
    handlers(loop);
    EXPECT_EQ(loop.run_until_complete(number(3)), 3);
    loop.close();
    EXPECT_TRUE(loop.is_closed());
}

} // namespace rondo::spelling::of_loop
