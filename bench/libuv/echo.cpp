// A TCP echo server in libuv: echo PORT. Reads into one buffer and writes from it at once; what the kernel does not take is
// copied and queued.

#include <cstdlib>
#include <cstring>

#include <uv.h>

namespace {

char buffer[65536];

struct pending_write {
    uv_write_t request; // first: what libuv gives back
    char* data;
};

void on_closed(uv_handle_t* handle) { delete reinterpret_cast<uv_tcp_t*>(handle); }

void on_written(uv_write_t* request, int) {
    auto* pending = reinterpret_cast<pending_write*>(request);
    std::free(pending->data);
    delete pending;
}

void on_read(uv_stream_t* stream, ssize_t n, const uv_buf_t* data) {
    if (n < 0) return uv_close(reinterpret_cast<uv_handle_t*>(stream), on_closed);
    if (n == 0) return;
    uv_buf_t all = uv_buf_init(data->base, static_cast<unsigned>(n));
    const int taken = uv_try_write(stream, &all, 1);
    const auto sent = static_cast<std::size_t>(taken < 0 ? 0 : taken);
    const std::size_t left = static_cast<std::size_t>(n) - sent;
    if (left == 0) return;
    auto* pending = new pending_write{{}, static_cast<char*>(std::malloc(left))};
    std::memcpy(pending->data, data->base + sent, left);
    uv_buf_t rest = uv_buf_init(pending->data, static_cast<unsigned>(left));
    uv_write(&pending->request, stream, &rest, 1, on_written);
}

void on_connection(uv_stream_t* listener, int) {
    auto* connection = new uv_tcp_t;
    uv_tcp_init(listener->loop, connection);
    auto* stream = reinterpret_cast<uv_stream_t*>(connection);
    if (uv_accept(listener, stream) != 0) return;
    uv_tcp_nodelay(connection, 1);
    uv_read_start(
        stream, [](uv_handle_t*, std::size_t, uv_buf_t* into) { *into = uv_buf_init(buffer, sizeof buffer); }, on_read);
}

} // namespace

int main(int, char** argv) {
    uv_loop_t* loop = uv_default_loop();
    uv_tcp_t listener;
    uv_tcp_init(loop, &listener);
    sockaddr_in here{};
    uv_ip4_addr("127.0.0.1", std::atoi(argv[1]), &here);
    uv_tcp_bind(&listener, reinterpret_cast<sockaddr*>(&here), 0);
    if (uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 4096, on_connection) != 0) return 1;
    return uv_run(loop, UV_RUN_DEFAULT);
}
