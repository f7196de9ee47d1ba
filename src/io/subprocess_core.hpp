// A child process that has a protocol.
#pragma once

#include <rondo/io/subprocess_protocol.hpp>
#include <rondo/io/subprocess_transport.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/task/future.hpp>

#include "io/process_core.hpp"
#include "io/protocol_caller.hpp"
#include "io/protocol_stream.hpp"
#include "io/shared_core.hpp"
#include "io/start_process.hpp"

#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <span>

namespace rondo::detail {

/// Its pipes are protocol_streams, each with a protocol that passes on what it is told. They begin after this, so connection_made()
/// comes first; the last of their losses and of the process's end brings connection_lost().
///
/// Holds itself from begin() until connection_lost() has returned.
class subprocess_core final : public shared_core,
                              public subprocess_transport,
                              private process_observer,
                              private protocol_caller {
public:
    /// Takes over the pipes, then the process. To be followed by begin().
    static counted_ptr<subprocess_core> make(event_loop& loop, started_process started, std::source_location where);
    /// connection_made() in a turn of its own, after which `made` is set.
    void begin(std::shared_ptr<subprocess_protocol> p, future<> made) noexcept;
    /// Holds this.
    std::shared_ptr<subprocess_transport> transport();

    void close() override;
    void abort() override { close(); }
    bool is_closing() const noexcept override { return closing_ || is_over(); }
    address peer_address() const override { return {}; }
    address local_address() const override { return {}; }
    int fd() const noexcept override { return -1; }
    int get_pid() const noexcept override { return process_->pid(); }
    std::optional<int> get_returncode() const noexcept override { return process_->status(); }
    rondo::transport* get_pipe_transport(int fd) const noexcept override;
    void send_signal(int signal) override { process_->send_signal(signal); }
    void terminate() override;
    void kill() override;

private:
    class pipe_protocol;
    struct pipe {
        counted_ptr<protocol_stream> stream;
        std::shared_ptr<protocol> told;
    };

    subprocess_core(event_loop& loop, std::source_location where)
        : protocol_caller(loop, static_cast<shared_core&>(*this)), made_at_(where) {}
    ~subprocess_core() override = default;
    void destroy() noexcept override { delete this; }
    void add_pipe(event_loop& loop, int number, descriptor_guard& from);
    void disconnect() noexcept;
    bool is_over() const noexcept { return process_over_ && open_pipes_ == 0; }
    void process_over() noexcept override;

    void pipe_data(int number, std::span<const std::byte> data) noexcept;
    void pipe_lost(int number, const std::exception_ptr& error) noexcept;
    void pipe_full(bool full) noexcept;

    void tell() noexcept override;
    void complete(error_report& about) noexcept override;
    void tell_made() noexcept;
    void tell_exited() noexcept;
    void tell_lost() noexcept;

    counted_ptr<process_core> process_;
    std::array<pipe, 3> pipes_;
    std::shared_ptr<subprocess_protocol> protocol_;
    future<> made_;
    std::source_location made_at_;
    int open_pipes_ = 0; // whose loss was not told yet
    bool closing_ = false;
    bool process_over_ = false;
    bool made_told_ = false;
    bool exited_told_ = false;
    bool lost_told_ = false;
};

void retain(subprocess_core& s) noexcept;
void release(subprocess_core& s) noexcept;

} // namespace rondo::detail
