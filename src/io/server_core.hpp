// A server: its listeners, its handler, and the connections that it has accepted.
#pragma once

#include <rondo/io/create_server.hpp>
#include <rondo/io/server.hpp>
#include <rondo/loop/context.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/task.hpp>

#include "io/io_service.hpp"
#include "io/listener.hpp"
#include "io/protocol_stream.hpp"
#include "io/shared_core.hpp"
#include "io/stream_core.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rondo::detail {

class server_core;
class server_closed_awaiter;

/// What becomes of a connection: its streams go to a handler, or it gets a protocol.
using server_work =
    std::variant<std::unique_ptr<connection_handler>, std::unique_ptr<protocol_factory<rondo::protocol>>>;

/// `method`: what the program has called.
coro<server> start_tcp_server(server_work work, host_list on, std::uint16_t port, server_options options,
                              std::source_location where, const char* method);
coro<server> start_unix_server(server_work work, std::string path, server_options options, std::source_location where,
                               const char* method);

struct server_access {
    static server_core& core(const server& s) noexcept { return *s.core_; }
};

/// A connection of a server, until it is lost and its handler has ended.
class served_connection final : private stream_observer, private done_node {
public:
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }

    served_connection(counted_ptr<server_core> server, stream_core& stream);

    /// Calls the handler, or the factory, in a turn of its own.
    void handle(stream_reader reader, stream_writer writer) noexcept;
    void handle(protocol_stream& stream) noexcept;
    /// The turn will never come.
    void drop() noexcept;
    void cancel_handler(const std::string& reason);
    void close() noexcept { stream_->close(); }
    void abort(const std::exception_ptr& error) noexcept { stream_->abort(error); }
    served_connection* next() const noexcept { return next_; }

private:
    friend class server_core;
    ~served_connection() = default;
    void stream_lost(stream_core& stream) noexcept override;
    static void handler_ended(done_node& node, future_state& task) noexcept;
    void failed(std::exception_ptr error, const char* what, future_state* task = nullptr) noexcept;
    void leave_if_over() noexcept;

    counted_ptr<server_core> server_;
    counted_ptr<stream_core> stream_;
    counted_ptr<future_state> task_; // while the handler runs
    bool called_ = false;
    served_connection* next_ = nullptr;
    served_connection* previous_ = nullptr;
};

class server_core final : public shared_core, private io_resource, private accept_sink {
public:
    server_core(event_loop& loop, server_work work, stream_kind kind, const server_options& options,
                std::source_location where);

    event_loop& loop() const noexcept { return loop_; }
    /// Takes over a bound descriptor, unless it throws.
    void add_listener(int fd, address where);
    /// For a Unix server: the file to be removed at the end, as long as it is this one.
    void own_file(std::string path);
    /// Throws std::system_error; then the server is closed.
    void start();
    void close() noexcept;
    bool is_serving() const noexcept { return started_ && !closed_; }
    bool is_closed() const noexcept { return closed_; }
    std::vector<address> addresses() const;

    served_connection* first_connection() const noexcept { return first_; }
    std::size_t connections() const noexcept { return connections_; }
    bool is_over() const noexcept { return closed_ && connections_ == 0 && accepts_ == 0; }
    void wait_until_over(server_closed_awaiter& w) noexcept { waiting_.push_back(w); }
    void stop_waiting(server_closed_awaiter& w) noexcept { waiting_.erase(w); }

    // Of server's coroutines
    bool serving_forever = false;

private:
    friend class served_connection;
    ~server_core() override;
    void destroy() noexcept override { delete this; }
    void loop_is_closing() noexcept override { close(); }
    bool is_finishing() const noexcept override { return false; }
    void loop_is_closed() noexcept override {}
    bool owns_descriptor(int fd) const noexcept override;
    void accepted(int fd, address peer) noexcept override;
    void accept_failed(int error_number, const listener& on) noexcept override;
    void note_pending(int change) noexcept override;
    void serve_streams(int fd, address peer);
    void serve_protocol(int fd, address peer);
    served_connection* add(stream_core& stream);
    std::optional<std::source_location> created_at() const noexcept { return where_; }
    void remove(served_connection& c) noexcept;
    void wake_if_over() noexcept;

    event_loop& loop_;
    io_service& service_;
    server_work work_;
    stream_kind kind_;
    server_options options_;
    std::source_location where_;
    context_ref context_; // of whoever started the server: the handlers' tasks begin with a copy
    std::vector<std::unique_ptr<listener>> listeners_;
    std::string file_;
    std::pair<std::uint64_t, std::uint64_t> file_identity_{};
    bool started_ = false;
    bool closed_ = false;
    std::size_t connections_ = 0;
    int accepts_ = 0; // in flight: while there are, the address is taken
    served_connection* first_ = nullptr;
    served_connection* last_ = nullptr;
    waiting_list<server_closed_awaiter> waiting_;
};

/// Until a server is closed and its connections are gone.
class [[nodiscard]] server_closed_awaiter final : public leaf_awaiter<server_closed_awaiter, void> {
public:
    explicit server_closed_awaiter(counted_ptr<server_core> of) noexcept : of_(std::move(of)) {}
    server_closed_awaiter(server_closed_awaiter&& other) noexcept
        : leaf_awaiter(static_cast<leaf_awaiter&&>(other)), of_(std::move(other.of_)) {}
    ~server_closed_awaiter();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now() const noexcept { return of_->is_over(); }
    void enqueue() noexcept;
    std::exception_ptr failure() { return take_interruption(); }
    void value() const noexcept {}
    void over() noexcept {
        listed_ = false;
        settle();
    }

private:
    friend struct waiting_list<server_closed_awaiter>;
    counted_ptr<server_core> of_;
    server_closed_awaiter* next_ = nullptr;
    server_closed_awaiter* previous_ = nullptr;
    bool listed_ = false;
};

} // namespace rondo::detail
