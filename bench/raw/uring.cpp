// A TCP echo server on io_uring, by hand: uring PORT multishot|oneshot BUFFER_BYTES BUFFERS [SPIN].
//
//   multishot: one receive per connection that stays armed and fills buffers from a ring of BUFFERS; each is sent from where
//              it lies and then given back. The best there is for small messages.
//   oneshot:   receive, send, receive with one buffer per connection (BUFFERS is not used). The best for large ones.
//
// Both: one io_uring_enter for each batch, deferred task work, direct descriptors, sends that the kernel completes
// (MSG_WAITALL). SPIN: microseconds to poll before it blocks.

#include "listen.hpp"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include <liburing.h>

namespace {

enum class action : std::uint32_t { none, accepted, received, sent };

struct piece {
    std::uint16_t buffer;
    std::uint32_t offset;
    std::uint32_t size;
};

struct connection {
    std::unique_ptr<char[]> buffer; // oneshot
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::vector<piece> queue; // multishot: what is to be sent, the first being under way
    bool sending = false;
    bool closing = false;
};

constexpr unsigned most_connections = 4096;
constexpr std::uint16_t group = 1;

class server {
public:
    server(int port, bool multishot, unsigned buffer_bytes, unsigned buffers, std::chrono::microseconds spin)
        : listener_(raw::listen_on(port, 0)),
          multishot_(multishot),
          buffer_bytes_(buffer_bytes),
          buffers_(buffers),
          spin_(spin),
          connections_(most_connections) {
        io_uring_params how{};
        how.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
        how.cq_entries = 16384;
        must(io_uring_queue_init_params(4096, &ring_, &how), "io_uring_setup");
        io_uring_register_ring_fd(&ring_);
        must(io_uring_register_files_sparse(&ring_, most_connections), "registering files");
        if (multishot_) make_buffer_ring();
        io_uring_sqe* accept = next();
        io_uring_prep_multishot_accept_direct(accept, listener_, nullptr, nullptr, 0);
        set_data(accept, action::accepted, 0);
    }

    [[noreturn]] void run() {
        for (;;) {
            wait();
            unsigned head = 0;
            unsigned seen = 0;
            io_uring_cqe* completion = nullptr;
            io_uring_for_each_cqe(&ring_, head, completion) {
                ++seen;
                complete(*completion);
            }
            io_uring_cq_advance(&ring_, seen);
            if (given_back_) io_uring_buf_ring_advance(buffer_ring_, static_cast<int>(given_back_));
            given_back_ = 0;
        }
    }

private:
    static void must(int result, const char* what) {
        if (result >= 0) return;
        std::fprintf(stderr, "%s: %s\n", what, std::strerror(-result));
        std::exit(1);
    }

    void make_buffer_ring() {
        void* entries = nullptr;
        if (posix_memalign(&entries, 4096, buffers_ * sizeof(io_uring_buf)) != 0) std::exit(1);
        buffer_ring_ = static_cast<io_uring_buf_ring*>(entries);
        pool_ = std::make_unique<char[]>(std::size_t{buffers_} * buffer_bytes_);
        io_uring_buf_reg registration{};
        registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries);
        registration.ring_entries = buffers_;
        registration.bgid = group;
        must(io_uring_register_buf_ring(&ring_, &registration, 0), "registering buffers");
        io_uring_buf_ring_init(buffer_ring_);
        for (unsigned i = 0; i < buffers_; ++i) give_back(static_cast<std::uint16_t>(i));
        io_uring_buf_ring_advance(buffer_ring_, static_cast<int>(given_back_));
        given_back_ = 0;
    }

    void wait() {
        if (spin_.count()) {
            const auto until = std::chrono::steady_clock::now() + spin_;
            do {
                io_uring_submit_and_get_events(&ring_);
                if (io_uring_cq_ready(&ring_)) return;
            } while (std::chrono::steady_clock::now() < until);
        }
        io_uring_submit_and_wait(&ring_, 1);
    }

    static void set_data(io_uring_sqe* entry, action what, std::uint32_t slot) {
        entry->user_data = (static_cast<std::uint64_t>(what) << 32) | slot;
    }

    /// A free submission entry; the caller prepares it, and says set_data() after that.
    io_uring_sqe* next() {
        io_uring_sqe* entry = nullptr;
        while (!(entry = io_uring_get_sqe(&ring_))) io_uring_submit(&ring_);
        return entry;
    }

    char* place(std::uint16_t buffer) const { return pool_.get() + std::size_t{buffer} * buffer_bytes_; }

    void give_back(std::uint16_t buffer) {
        io_uring_buf_ring_add(buffer_ring_, place(buffer), buffer_bytes_, buffer, io_uring_buf_ring_mask(buffers_),
                              static_cast<int>(given_back_++));
    }

    void receive(std::uint32_t slot) {
        io_uring_sqe* entry = next();
        if (multishot_) {
            io_uring_prep_recv_multishot(entry, static_cast<int>(slot), nullptr, 0, 0);
            entry->flags |= IOSQE_BUFFER_SELECT;
            entry->buf_group = group;
        } else {
            io_uring_prep_recv(entry, static_cast<int>(slot), connections_[slot]->buffer.get(), buffer_bytes_, 0);
        }
        entry->flags |= IOSQE_FIXED_FILE;
        set_data(entry, action::received, slot);
    }

    void send(std::uint32_t slot, const char* data, std::uint32_t size) {
        io_uring_sqe* entry = next();
        io_uring_prep_send(entry, static_cast<int>(slot), data, size, MSG_WAITALL | MSG_NOSIGNAL);
        entry->flags |= IOSQE_FIXED_FILE;
        set_data(entry, action::sent, slot);
        connections_[slot]->sending = true;
    }

    void send_first(std::uint32_t slot) {
        const piece& first = connections_[slot]->queue.front();
        send(slot, place(first.buffer) + first.offset, first.size - first.offset);
    }

    void end(std::uint32_t slot) {
        connection& c = *connections_[slot];
        c.closing = true;
        if (c.sending) return;
        for (const piece& p : c.queue) give_back(p.buffer);
        connections_[slot].reset();
        io_uring_sqe* entry = next();
        io_uring_prep_close_direct(entry, slot);
        set_data(entry, action::none, slot);
    }

    void complete(const io_uring_cqe& completion) {
        const auto what = static_cast<action>(completion.user_data >> 32);
        const auto slot = static_cast<std::uint32_t>(completion.user_data);
        if (what == action::accepted) return accepted(completion.res);
        if (what == action::none || !connections_[slot]) return;
        if (what == action::received) received(slot, completion);
        else sent(slot, completion.res);
    }

    void accepted(int slot) {
        if (slot < 0) return;
        auto& c = connections_[static_cast<unsigned>(slot)] = std::make_unique<connection>();
        if (!multishot_) c->buffer = std::make_unique<char[]>(buffer_bytes_);
        receive(static_cast<std::uint32_t>(slot));
    }

    void received(std::uint32_t slot, const io_uring_cqe& completion) {
        if (completion.res == -ENOBUFS) return receive(slot);
        if (completion.res <= 0) return end(slot);
        connection& c = *connections_[slot];
        const auto size = static_cast<std::uint32_t>(completion.res);
        if (!multishot_) {
            c.offset = 0;
            c.size = size;
            return send(slot, c.buffer.get(), size);
        }
        c.queue.push_back({static_cast<std::uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT), 0, size});
        if (!c.sending) send_first(slot);
        if (!(completion.flags & IORING_CQE_F_MORE)) receive(slot);
    }

    void sent(std::uint32_t slot, int result) {
        connection& c = *connections_[slot];
        c.sending = false;
        if (result < 0 || c.closing) return end(slot);
        const auto size = static_cast<std::uint32_t>(result);
        if (!multishot_) {
            c.offset += size;
            if (c.offset < c.size) send(slot, c.buffer.get() + c.offset, c.size - c.offset);
            else receive(slot);
            return;
        }
        piece& first = c.queue.front();
        first.offset += size;
        if (first.offset == first.size) {
            give_back(first.buffer);
            c.queue.erase(c.queue.begin());
        }
        if (!c.queue.empty()) send_first(slot);
    }

    int listener_;
    bool multishot_;
    unsigned buffer_bytes_;
    unsigned buffers_;
    std::chrono::microseconds spin_;
    io_uring ring_{};
    io_uring_buf_ring* buffer_ring_ = nullptr;
    std::unique_ptr<char[]> pool_;
    unsigned given_back_ = 0;
    std::vector<std::unique_ptr<connection>> connections_;
};

} // namespace

int main(int argc, char** argv) {
    const auto number = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
    const bool multishot = argc <= 2 || std::string_view(argv[2]) == "multishot";
    server(number(1, 0), multishot, static_cast<unsigned>(number(3, 4096)), static_cast<unsigned>(number(4, 512)),
           std::chrono::microseconds(number(5, 0)))
        .run();
}
