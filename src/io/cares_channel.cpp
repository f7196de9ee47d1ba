#ifdef RONDO_HAS_CARES

#include "io/cares_channel.hpp"

#include <rondo/coro/exceptions.hpp>
#include <rondo/task/future.hpp>

#include "io/resolver.hpp"
#include "io/socket_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>

namespace rondo::detail {

namespace {

/// In the terms of getaddrinfo(3).
int eai_of(int status) noexcept {
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_ENONAME:
    case ARES_EBADNAME: return EAI_NONAME;
    case ARES_ESERVICE: return EAI_SERVICE;
    case ARES_EBADFAMILY: return EAI_FAMILY;
    case ARES_ENOMEM: return EAI_MEMORY;
    case ARES_ETIMEOUT:
    case ARES_ESERVFAIL:
    case ARES_ECONNREFUSED:
    case ARES_EREFUSED: return EAI_AGAIN;
    default: return EAI_FAIL;
    }
}

int cares_flags(int flags) noexcept {
    constexpr std::pair<int, int> known[] = {{AI_CANONNAME, ARES_AI_CANONNAME},  {AI_NUMERICHOST, ARES_AI_NUMERICHOST},
                                             {AI_PASSIVE, ARES_AI_PASSIVE},      {AI_NUMERICSERV, ARES_AI_NUMERICSERV},
                                             {AI_V4MAPPED, ARES_AI_V4MAPPED},    {AI_ALL, ARES_AI_ALL},
                                             {AI_ADDRCONFIG, ARES_AI_ADDRCONFIG}};
    int theirs = 0;
    for (const auto& [ours, its] : known) theirs |= flags & ours ? its : 0;
    return theirs;
}

void check(int status, const char* what) {
    if (status != ARES_SUCCESS) throw runtime_error(std::string(what) + ": " + ares_strerror(status));
}

/// Of a service that is no name. c-ares itself does not take port 0.
std::optional<std::uint16_t> port_of(const std::string& service) noexcept {
    std::uint16_t port = 0;
    const char* const end = service.data() + service.size();
    const auto parsed = std::from_chars(service.data(), end, port);
    if (service.empty() || (parsed.ec == std::errc() && parsed.ptr == end)) return port;
    return std::nullopt;
}

resolved read_node(const ares_addrinfo_node& node, std::optional<std::uint16_t> port) {
    socket_address found;
    found.size = std::min<std::uint32_t>(node.ai_addrlen, sizeof found.storage);
    std::memcpy(&found.storage, node.ai_addr, found.size);
    static_assert(offsetof(::sockaddr_in, sin_port) == offsetof(::sockaddr_in6, sin6_port));
    if (port) reinterpret_cast<::sockaddr_in*>(&found.storage)->sin_port = htons(*port);
    return {.address = found.to_address(),
            .family = node.ai_family,
            .type = node.ai_socktype,
            .protocol = node.ai_protocol};
}

} // namespace

/// Held by who asked, as long as he waits, and by the channel, until the answer comes.
struct cares_channel::question {
    question(future<> f, std::optional<std::uint16_t> p) noexcept : over(std::move(f)), port(p) {}
    future<> over;
    std::optional<std::uint16_t> port; // in place of what c-ares finds
    int status = ARES_SUCCESS;
    std::vector<resolved> found;
};

void cares_channel::open(event_loop& loop) {
    if (closed_) throw runtime_error("cares_resolver(): its event loop is closed");
    if (loop_ && loop_ != &loop) throw runtime_error("cares_resolver(): it belongs to another event loop");
    if (channel_) return;
    static std::once_flag once;
    std::call_once(once, [] { check(ares_library_init(ARES_LIB_INIT_ALL), "c-ares cannot be initialised"); });

    ares_options options{};
    options.timeout = static_cast<int>(options_.timeout.count());
    options.tries = options_.tries;
    options.sock_state_cb = &socket_changed;
    options.sock_state_cb_data = this;
    check(ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB),
          "c-ares cannot open a channel");
    std::string servers;
    for (const address& server : options_.servers) servers += (servers.empty() ? "" : ",") + server.str();
    const int taken = servers.empty() ? ARES_SUCCESS : ares_set_servers_ports_csv(channel_, servers.c_str());
    if (taken != ARES_SUCCESS) ares_destroy(std::exchange(channel_, nullptr));
    check(taken, "c-ares does not take the servers");
    loop_ = &loop;
    service<io_service>(loop).add(*this);
}

/// Who still waits is told; his task has been cancelled.
void cares_channel::close() noexcept {
    closed_ = true;
    if (!channel_) return;
    if (timer_) timer_->cancel();
    timer_.reset();
    ares_destroy(std::exchange(channel_, nullptr));
    service<io_service>(*loop_).remove(*this);
}

coro<std::vector<resolved>> cares_channel::getaddrinfo(name_query query) {
    event_loop& loop = running_loop();
    if (query.host.empty()) co_return co_await resolve_in_thread(loop, std::move(query));
    open(loop);
    const auto asked = std::make_shared<question>(loop.create_future<>(), port_of(query.service));
    ares_addrinfo_hints hints{};
    hints.ai_family = query.family;
    hints.ai_socktype = query.type;
    hints.ai_protocol = query.protocol;
    hints.ai_flags = cares_flags(query.flags);
    ares_getaddrinfo(channel_, query.host.c_str(), asked->port ? nullptr : query.service.c_str(), &hints, &answered,
                     new std::shared_ptr<question>(asked));
    set_timer();
    co_await asked->over;
    if (asked->status != ARES_SUCCESS) {
        throw std::system_error(eai_of(asked->status), resolver_category(),
                                cannot_resolve(query.host) + " (" + ares_strerror(asked->status) + ")");
    }
    co_return std::move(asked->found);
}

void cares_channel::answered(void* asked, int status, int, ares_addrinfo* found) noexcept {
    const std::unique_ptr<std::shared_ptr<question>> holder(static_cast<std::shared_ptr<question>*>(asked));
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owner(found, &ares_freeaddrinfo);
    question& q = **holder;
    q.status = status;
    try {
        for (const ares_addrinfo_node* node = found ? found->nodes : nullptr; node; node = node->ai_next)
            q.found.push_back(read_node(*node, q.port));
    } catch (const std::bad_alloc&) {
        q.status = ARES_ENOMEM;
    }
    q.over.try_set_result();
}

void cares_channel::socket_changed(void* self, ares_socket_t fd, int readable, int writable) noexcept {
    auto& channel = *static_cast<cares_channel*>(self);
    event_loop& loop = *channel.loop_;
    try {
        if (readable) loop.add_reader(fd, [&channel, fd] { channel.process(fd, ARES_SOCKET_BAD); });
        else loop.remove_reader(fd);
        if (writable) loop.add_writer(fd, [&channel, fd] { channel.process(ARES_SOCKET_BAD, fd); });
        else loop.remove_writer(fd);
    } catch (const std::exception&) { // no memory: the question times out
    }
}

void cares_channel::process(int readable, int writable) noexcept {
    if (!channel_) return;
    ares_process_fd(channel_, readable, writable);
    try {
        set_timer();
    } catch (const std::bad_alloc&) { // its sockets still tell
    }
}

void cares_channel::set_timer() {
    if (timer_) timer_->cancel();
    timer_.reset();
    ::timeval room{};
    const ::timeval* left = ares_timeout(channel_, nullptr, &room);
    if (!left) return;
    const auto wait = std::chrono::seconds(left->tv_sec) + std::chrono::microseconds(left->tv_usec);
    timer_ = loop_->call_later(wait, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); });
}

} // namespace rondo::detail

#endif
