// What guest_run() does, whatever its main yields.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/coro/result.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/task.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace rondo::detail {

class readable_watch;

/// running: main is not done. ending: it is, or an exit request came, and what is left is being cancelled and awaited. over:
/// the loop is closed. Belongs to the host's thread; what is on its way to that thread holds it weakly.
class guest_core : public std::enable_shared_from_this<guest_core> {
public:
    using post = std::function<void(std::function<void()>)>;
    /// Given an error that replaces the outcome, or null; gives what is to be called when the loop is closed, or null.
    using collector = std::function<std::function<void()>(std::exception_ptr)>;

    static std::shared_ptr<guest_core>
    make(post run_in_host, const std::function<std::unique_ptr<event_loop>()>& loop_factory, std::optional<bool> debug);
    explicit guest_core(post run_in_host);
    guest_core(const guest_core&) = delete;
    guest_core& operator=(const guest_core&) = delete;
    ~guest_core();

    event_loop& loop() const noexcept { return *loop_; }
    void begin(task_base main, collector collect);
    bool cancel(const std::string& message) { return main_.cancel(message); }
    bool over() const noexcept { return phase_ == phase::over; }
    /// The handle is gone. Inside a pass of the guest's own: at the end of that.
    void abandon();

private:
    enum class phase { running, ending, over };
    void make_pass();
    void request_pass();
    void close() noexcept;
    static coro<void> end_work(event_loop& loop);

    post run_in_host_;
    std::unique_ptr<event_loop> loop_;
    std::unique_ptr<readable_watch> watch_;
    task_base main_;
    collector collect_;
    task<> ending_;
    std::exception_ptr exit_;
    phase phase_ = phase::running;
    bool in_pass_ = false;
    bool abandoned_ = false;
};

template <class T> result<T> guest_outcome(task<T>& ended, std::exception_ptr instead) {
    if (instead) return result<T>(std::move(instead));
    future_state& state = *ended.state();
    state.mark_observed();
    if (state.error()) return result<T>(state.error());
    if constexpr (std::is_void_v<T>) return result<void>();
    else return result<T>(ended.take());
}

} // namespace rondo::detail
