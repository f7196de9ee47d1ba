// A TCP echo server in Boost.Asio: echo PORT. Compiled twice, on epoll and on io_uring.

#include <boost/asio.hpp>

#include <cstdlib>
#include <exception>
#include <memory>

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::size_t buffer_size = 65536;

awaitable<void> echo(tcp::socket socket) {
    try {
        socket.set_option(tcp::no_delay(true));
        const auto buffer = std::make_unique_for_overwrite<char[]>(buffer_size);
        for (;;) {
            const std::size_t n =
                co_await socket.async_read_some(asio::buffer(buffer.get(), buffer_size), use_awaitable);
            co_await asio::async_write(socket, asio::buffer(buffer.get(), n), use_awaitable);
        }
    } catch (const std::exception&) { // the end of the stream
    }
}

awaitable<void> serve(unsigned short port) {
    const auto executor = co_await asio::this_coro::executor;
    const tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    tcp::acceptor acceptor(executor, here.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(here);
    acceptor.listen(4096);
    for (;;) asio::co_spawn(executor, echo(co_await acceptor.async_accept(use_awaitable)), asio::detached);
}

} // namespace

int main(int, char** argv) {
    asio::io_context context(1);
    asio::co_spawn(context, serve(static_cast<unsigned short>(std::atoi(argv[1]))), asio::detached);
    context.run();
}
