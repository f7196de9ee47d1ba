// A TCP echo server on epoll, by hand: epoll PORT [SPIN]. Level-triggered, one receive for each event, sends at once; what the
// kernel does not take is kept and the connection is not read until it is gone. SPIN: microseconds to poll before it blocks.

#include "listen.hpp"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <vector>

#include <sys/epoll.h>
#include <unistd.h>

namespace {

struct connection {
    explicit connection(int descriptor) : fd(descriptor) {}
    connection(const connection&) = delete;
    ~connection() { close(fd); }

    int fd;
    std::vector<char> unsent;
};

char buffer[65536];

class server {
public:
    server(int port, std::chrono::microseconds spin)
        : listener_(raw::listen_on(port, SOCK_NONBLOCK)), epoll_(epoll_create1(0)), spin_(spin) {
        watch(EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
    }

    [[noreturn]] void run() {
        epoll_event events[1024];
        for (;;) {
            const int n = wait(events, 1024);
            for (int i = 0; i < n; ++i) {
                auto* c = static_cast<connection*>(events[i].data.ptr);
                if (!c) accept_all();
                else if (!(c->unsent.empty() ? echo(*c) : send_rest(*c))) delete c;
            }
        }
    }

private:
    int wait(epoll_event* events, int most) {
        if (spin_.count()) {
            const auto until = std::chrono::steady_clock::now() + spin_;
            do {
                if (const int n = epoll_wait(epoll_, events, most, 0)) return n;
            } while (std::chrono::steady_clock::now() < until);
        }
        return epoll_wait(epoll_, events, most, -1);
    }

    void watch(int operation, int fd, unsigned what, connection* c) {
        epoll_event event{};
        event.events = what;
        event.data.ptr = c;
        epoll_ctl(epoll_, operation, fd, &event);
    }

    void accept_all() {
        for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;)
            watch(EPOLL_CTL_ADD, fd, EPOLLIN, new connection(fd));
    }

    /// False: the connection is over.
    bool echo(connection& c) {
        const ssize_t n = recv(c.fd, buffer, sizeof buffer, 0);
        if (n <= 0) return n < 0 && errno == EAGAIN;
        ssize_t sent = send(c.fd, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return false;
        if (sent < 0) sent = 0;
        if (sent < n) {
            c.unsent.assign(buffer + sent, buffer + n);
            watch(EPOLL_CTL_MOD, c.fd, EPOLLOUT, &c);
        }
        return true;
    }

    bool send_rest(connection& c) {
        const ssize_t sent = send(c.fd, c.unsent.data(), c.unsent.size(), MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN;
        c.unsent.erase(c.unsent.begin(), c.unsent.begin() + sent);
        if (c.unsent.empty()) watch(EPOLL_CTL_MOD, c.fd, EPOLLIN, &c);
        return true;
    }

    int listener_;
    int epoll_;
    std::chrono::microseconds spin_;
};

} // namespace

int main(int argc, char** argv) {
    server(std::atoi(argv[1]), std::chrono::microseconds(argc > 2 ? std::atoi(argv[2]) : 0)).run();
}
