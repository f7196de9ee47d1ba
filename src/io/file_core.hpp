// An open file: its descriptor, for as long as somebody uses it.
#pragma once

#include <rondo/coro/exceptions.hpp>

#include "io/io_service.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace rondo {
class event_loop;
}

namespace rondo::detail {

class os;

/// Held by its async_file and by each await on it. The descriptor is closed when the last await has ended after close(), so
/// that nobody ever works on a number that is another file's by then. The loop, when it closes, closes it too.
class file_core final : private io_resource {
public:
    /// Takes over the descriptor.
    file_core(event_loop& loop, int fd, std::string path);
    ~file_core();

    event_loop& loop() const noexcept { return loop_; }
    os& system() const noexcept { return os_; }
    /// -1 when closed.
    int fd() const noexcept { return closed_ ? -1 : fd_; }
    /// For an await that goes on: it stays valid, also after close().
    int descriptor() const noexcept { return fd_; }
    const std::string& path() const noexcept { return path_; }
    void close() noexcept;
    /// Closed by somebody else from now on; nobody uses it. The descriptor.
    int release() noexcept;
    bool is_used() const noexcept { return uses_ > 0; }

    /// "read '/etc/hosts'"
    std::string doing(const char* what) const { return std::string(what) + " '" + path_ + "'"; }
    /// Throws a negative result.
    std::uint64_t checked(std::int64_t result, const char* doing) const;

    /// An await on it.
    class use {
    public:
        /// runtime_error for null, a closed file, another loop; at the position, when somebody else is there.
        use(const std::shared_ptr<file_core>& core, const char* doing, bool at_position = false);
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        ~use();
        file_core* operator->() const noexcept { return core_.get(); }

    private:
        std::shared_ptr<file_core> core_;
        bool at_position_;
    };

private:
    void loop_is_closing() noexcept override {}
    bool is_finishing() const noexcept override { return false; }
    void loop_is_closed() noexcept override { close(); }
    bool owns_descriptor(int fd) const noexcept override { return fd == fd_; }
    void close_if_unused() noexcept;

    event_loop& loop_;
    os& os_;
    io_service& service_;
    int fd_;
    std::string path_;
    int uses_ = 0;
    bool at_position_ = false; // somebody reads or writes there
    bool closed_ = false;
};

} // namespace rondo::detail
