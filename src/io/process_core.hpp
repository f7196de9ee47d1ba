// A child process: its end, its status, and the pipes that have to be disconnected before it is over.
#pragma once

#include <rondo/io/detail/process_wait_awaiter.hpp>
#include <rondo/loop/detail/operation.hpp>

#include "io/io_service.hpp"
#include "io/shared_core.hpp"
#include "io/stream_core.hpp"
#include "loop/backend/os.hpp"

#include <memory>
#include <optional>

namespace rondo::detail {

class backend;

/// Is told once that a process is over: that it has ended, or that its loop was closed before.
class process_observer {
public:
    virtual void process_over() noexcept = 0;

protected:
    ~process_observer() = default;
};

/// Lives until the child was reaped, whoever still holds it.
class process_core final : public shared_core, private io_resource, private stream_observer {
public:
    /// The descriptor of `child` is taken over, unless it throws. Without one there has to be a thread: std::system_error.
    process_core(event_loop& loop, spawned_process child);

    int pid() const noexcept { return child_.pid; }
    std::optional<int> status() const noexcept { return status_; }
    /// One of its pipes.
    void attach(stream_core& pipe) noexcept;
    /// process_lookup_error when it has ended.
    void send_signal(int signal);
    /// Nobody holds it any more: it is killed, and the loop reaps it.
    void abandon() noexcept;

    bool is_over() const noexcept { return (status_ && open_pipes_ == 0) || loop_closed_; }
    void wait_until_over(process_wait_awaiter& w) noexcept { waiting_.push_back(w); }
    void stop_waiting(process_wait_awaiter& w) noexcept { waiting_.erase(w); }
    int open_pipes() const noexcept { return open_pipes_; }
    /// At once, when it is over already. The observer must live until then.
    void observe(process_observer& by) noexcept;

private:
    struct exit_operation : operation {
        explicit exit_operation(process_core& c) noexcept : operation(operation_kind::poll, &completed), core(c) {}
        process_core& core;
    };

    ~process_core() override;
    void destroy() noexcept override { delete this; }
    void loop_is_closing() noexcept override;
    bool is_finishing() const noexcept override { return !status_; }
    void loop_is_closed() noexcept override;
    void stream_lost(stream_core& stream) noexcept override;
    static void completed(operation& op) noexcept;
    void watch() noexcept;
    void watch_in_a_thread();
    int try_signal(int signal) noexcept;
    void ended(std::int64_t result) noexcept;
    void wake_if_over() noexcept;

    event_loop& loop_;
    backend& backend_;
    io_service& service_;
    spawned_process child_;
    exit_operation exit_op_{*this};
    std::optional<int> status_;
    int open_pipes_ = 0;
    process_observer* observer_ = nullptr;
    bool loop_closed_ = false;
    waiting_list<process_wait_awaiter> waiting_;
    struct thread_news;
    std::shared_ptr<thread_news> thread_news_; // where there is no pidfd
};

} // namespace rondo::detail
