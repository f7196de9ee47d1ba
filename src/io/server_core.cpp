#include "io/server_core.hpp"

#include <rondo/io/errors.hpp>
#include <rondo/loop/event_loop.hpp>

#include "coro/without_memory.hpp"
#include "io/make_stream.hpp"
#include "io/report.hpp"
#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"

#include <algorithm>
#include <cassert>
#include <exception>
#include <utility>

namespace rondo::detail {

namespace {

/// Says so when its connection is not handled.
struct waiting_entry {
    explicit waiting_entry(served_connection* e) noexcept : entry(e) {}
    waiting_entry(waiting_entry&& other) noexcept : entry(std::exchange(other.entry, nullptr)) {}
    waiting_entry& operator=(waiting_entry&&) = delete;
    ~waiting_entry() {
        if (entry) entry->drop();
    }
    served_connection* entry;
};

} // namespace

void retain(server_core& s) noexcept { s.add_reference(); }
void release(server_core& s) noexcept { s.drop_reference(); }

server_core::server_core(event_loop& loop, server_work work, stream_kind kind, const server_options& options,
                         std::source_location where)
    : loop_(loop),
      service_(service<io_service>(loop)),
      work_(std::move(work)),
      kind_(kind),
      options_(options),
      where_(where),
      context_(fork_context()) {
    service_.add(*this);
}

server_core::~server_core() { assert(closed_ && connections_ == 0); }

void server_core::add_listener(int fd, address where) {
    listeners_.reserve(listeners_.size() + 1); // so that the descriptor has one owner if memory fails
    accept_sink& sink = *this;
    listeners_.push_back(std::make_unique<listener>(loop_, sink, fd, std::move(where)));
}

void server_core::own_file(std::string path) {
    if (loop_access::backend(loop_).os().file_identity(path, file_identity_) >= 0) file_ = std::move(path);
}

void server_core::start() {
    if (started_) return;
    for (const auto& l : listeners_) {
        if (const int result = l->start(options_.backlog); result < 0) {
            close();
            throw_os_error(-result, "cannot listen on " + l->where().str());
        }
    }
    started_ = true;
}

void server_core::close() noexcept {
    if (closed_) return;
    closed_ = true;
    service_.remove(*this);
    for (const auto& l : listeners_) l->close();
    if (!file_.empty()) {
        os& files = loop_access::backend(loop_).os();
        std::pair<std::uint64_t, std::uint64_t> now;
        if (files.file_identity(file_, now) >= 0 && now == file_identity_) files.unlink_socket(file_);
    }
    wake_if_over();
}

bool server_core::owns_descriptor(int fd) const noexcept {
    return std::any_of(listeners_.begin(), listeners_.end(), [fd](const auto& l) { return l->owns_descriptor(fd); });
}

std::vector<address> server_core::addresses() const {
    std::vector<address> where;
    if (closed_) return where;
    for (const auto& l : listeners_) where.push_back(l->where());
    return where;
}

void server_core::accepted(int fd, address peer) noexcept {
    try {
        const context_switch inside(context_);
        if (work_.index() == 0) serve_streams(fd, std::move(peer));
        else serve_protocol(fd, std::move(peer));
    } catch (const std::exception&) { // no memory: the connection is closed
        report_soon(loop_, {.message = "a connection was accepted and could not be served",
                            .exception = std::current_exception(),
                            .created_at = created_at()});
    }
}

served_connection* server_core::add(stream_core& stream) {
    auto* entry = new served_connection(counted_ptr<server_core>(this), stream);
    entry->previous_ = last_;
    (last_ ? last_->next_ : first_) = entry;
    last_ = entry;
    ++connections_;
    return entry;
}

/// The handler is user code, and so has a turn of its own. If that never comes, the two halves are dropped, which closes.
void server_core::serve_streams(int fd, address peer) {
    connection c = make_connection(loop_, fd, kind_, std::move(peer), options_.limit, where_);
    served_connection* entry = add(stream_access::core(c.writer));
    loop_.call_soon([waiting = waiting_entry(entry), c = std::move(c)]() mutable {
        std::exchange(waiting.entry, nullptr)->handle(std::move(c.reader), std::move(c.writer));
    });
}

/// The factory is user code, as well. If its turn never comes, the loop is at its end, and closes the stream.
void server_core::serve_protocol(int fd, address peer) {
    counted_ptr<protocol_stream> stream = protocol_stream::make(loop_, fd, kind_, std::move(peer), where_);
    struct closing {
        protocol_stream* stream;
        ~closing() {
            if (stream) stream->close();
        }
    } unless_served{stream.get()};
    served_connection* entry = add(*stream);
    loop_.call_soon([waiting = waiting_entry(entry), s = std::move(stream)]() mutable {
        std::exchange(waiting.entry, nullptr)->handle(*s);
    });
    unless_served.stream = nullptr;
}

void server_core::accept_failed(int error_number, const listener& on) noexcept {
    report_soon(loop_, {.message = text_or_nothing([&] {
                            return "accepting connections on " + on.where().str() + " failed; trying again in a second";
                        }),
                        .exception = error_or_obstacle([&] { return os_error(error_number, "accept"); }),
                        .created_at = created_at(),
                        .socket = on.fd()});
}

void server_core::note_pending(int change) noexcept {
    accepts_ += change;
    if (change > 0) {
        add_reference();
    } else {
        wake_if_over();
        drop_reference();
    }
}

void server_core::remove(served_connection& c) noexcept {
    (c.previous_ ? c.previous_->next_ : first_) = c.next_;
    (c.next_ ? c.next_->previous_ : last_) = c.previous_;
    --connections_;
    wake_if_over();
}

void server_core::wake_if_over() noexcept {
    if (!is_over()) return;
    while (!waiting_.empty()) waiting_.pop_front().over();
}

server_closed_awaiter::~server_closed_awaiter() {
    if (listed_ && is_waiting()) of_->stop_waiting(*this);
}

void server_closed_awaiter::enqueue() noexcept {
    listed_ = true;
    of_->wait_until_over(*this);
}

cancel_outcome server_closed_awaiter::cancel(const std::string&) noexcept {
    if (!is_waiting()) return cancel_outcome::too_late;
    of_->stop_waiting(*this);
    listed_ = false;
    settle_cancelled();
    return cancel_outcome::accepted;
}

std::string server_closed_awaiter::describe() const {
    const std::string count = std::to_string(of_->connections()) + " connections";
    return of_->is_closed() ? "waiting until a server has ended: " + count + " are left"
                            : "waiting until a server is closed, " + count + " are open";
}

} // namespace rondo::detail
