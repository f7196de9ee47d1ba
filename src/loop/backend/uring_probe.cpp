#include "loop/backend/uring_probe.hpp"

#include "loop/backend/uring_ring.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

namespace rondo::detail {

namespace {

constexpr std::array<std::pair<int, const char*>, 14> needed = {{
    {IORING_OP_NOP, "nop"},
    {IORING_OP_POLL_ADD, "poll"},
    {IORING_OP_ASYNC_CANCEL, "cancel"},
    {IORING_OP_READ, "read"},
    {IORING_OP_WRITE, "write"},
    {IORING_OP_RECV, "recv"},
    {IORING_OP_SEND, "send"},
    {IORING_OP_RECVMSG, "recvmsg"},
    {IORING_OP_SENDMSG, "sendmsg"},
    {IORING_OP_ACCEPT, "accept"},
    {IORING_OP_CONNECT, "connect"},
    {IORING_OP_OPENAT, "open"},
    {IORING_OP_CLOSE, "close"},
    {IORING_OP_FSYNC, "fsync"},
}};

std::system_error obstacle(int error, const std::string& what) { return {error, std::system_category(), what}; }

std::optional<std::system_error> round_trip(uring_ring& ring) {
    io_uring_prep_nop(ring.next_entry());
    const int entered = ring.enter(std::chrono::seconds(10)); // done at once, or not at all
    if (ring.completions_ready() > 0 && ring.take_completion().result == 0) return std::nullopt;
    return obstacle(entered < 0 ? -entered : EIO, "io_uring can be set up, but not used");
}

} // namespace

std::optional<std::system_error> lacking_operation(const io_uring_probe& known) {
    for (const auto& [code, name] : needed) {
        if (!io_uring_opcode_supported(&known, code))
            return obstacle(EOPNOTSUPP, std::string("io_uring lacks the operation ") + name);
    }
    return std::nullopt;
}

std::optional<std::system_error> probe_uring() {
    try {
        uring_ring ring({.submissions = 4, .completions = 8});
        const std::unique_ptr<io_uring_probe, decltype(&io_uring_free_probe)> known(io_uring_get_probe(),
                                                                                    &io_uring_free_probe);
        if (!known) return obstacle(EOPNOTSUPP, "io_uring does not tell which operations it has");
        if (auto lacking = lacking_operation(*known)) return lacking;
        return round_trip(ring);
    } catch (const std::system_error& e) {
        return e;
    }
}

const std::optional<std::system_error>& uring_obstacle() {
    static const std::optional<std::system_error> found = probe_uring();
    return found;
}

} // namespace rondo::detail
