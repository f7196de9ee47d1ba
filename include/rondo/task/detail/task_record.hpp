// The task record: the root of a chain of frames, and all that is known of a task.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/loop/detail/loop_observer.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/future_state.hpp>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

class awaiter;
class scope_node;

/// How many library operations may complete without suspending before a task has to let others run.
inline constexpr std::uint8_t await_budget = 128;

/// States: ready (in the ready queue), running (the loop's current), blocked (blocked_on is set), done.
///
/// The loop holds a reference until it is done. The outermost frame is destroyed as soon as its coroutine has ended: its
/// value has moved into the record by then, so arguments die with the task, not with its last handle.
class task_record : public future_state, public ready_node, public task_head, private resumable {
public:
    awaiter* blocked_on = nullptr;

    event_loop& owner_loop() const noexcept { return loop(); }
    void make_ready() noexcept {
        loop_state& here = loop_access::state(loop());
        if (here.observer) [[unlikely]]
            return make_ready_observed();
        here.ready.push(*this);
    }
    /// It gives way: ready again, going on in `frame`. True: it is being cancelled. yield() comes here directly, since what it
    /// waits for has happened already.
    bool give_way(std::coroutine_handle<> frame) noexcept {
        innermost = frame;
        const bool cancelled = interrupted();
        make_ready();
        return cancelled;
    }
    /// Null: something else that is ready.
    static task_record* of_node(ready_node& node) noexcept {
        return node.run == &step ? static_cast<task_record*>(&node) : nullptr;
    }
    bool spend_budget() noexcept {
        if (budget_ == 0) return false;
        --budget_;
        return true;
    }

    // Cancellation: task::cancel() is counted and delivered once, a scope is noticed at every suspension.
    int cancelling() const noexcept { return cancels_; }
    int uncancel() noexcept;
    /// A cancellation that was delivered, and stepped back for an error, is delivered once more.
    void ask_again() noexcept;
    bool must_cancel() const noexcept { return (interrupt_ & caller_asked) != 0 && masks_ == 0; }
    /// It must not begin to wait.
    bool interrupted() noexcept { return interrupt_ != 0 && interrupted_now(); }
    /// Hands a pending cancellation to the awaiter that has just begun to wait.
    void forward_interruption() noexcept;
    /// The cancelled_error to deliver now.
    std::exception_ptr take_cancellation(bool awaiter_was_cancelled) noexcept;
    /// What it waited for accepted a cancellation, and ended with something better.
    void cancellation_was_answered() noexcept { interrupt_ &= static_cast<std::uint8_t>(~caller_accepted); }
    /// What it waited for accepted a cancellation, and has a value that must not be lost: it is delivered at the next wait.
    void put_off_cancellation() noexcept {
        if (interrupt_ & caller_accepted) interrupt_ ^= caller_accepted | caller_asked;
    }
    /// A task::cancel() that is pending is delivered by what the caller throws now.
    void cancellation_is_delivered() noexcept { interrupt_ &= static_cast<std::uint8_t>(~caller_asked); }
    /// While masked, task::cancel() is counted and delivered after unmask(). For cleanup that must not be torn.
    void mask() noexcept { ++masks_; }
    void unmask() noexcept { --masks_; }

    // Scopes. `scope` is the innermost one; whoever changes it, or what it says, calls scope_changed().
    scope_node* scope = nullptr;
    void scope_changed() noexcept;

    const std::string& name();
    /// The same, but nothing is made for it.
    std::string known_name() const;
    void set_name(std::string name);
    /// What a signal handler may know of it. Takes no lock and no memory.
    void picture(running_task& into) const noexcept;
    std::string label() const override;
    context_ref& context() noexcept { return context_; }
    std::coroutine_handle<> outermost() const noexcept { return root_; }
    bool started() const noexcept { return started_; }
    /// Continuations of the outermost frame lead here.
    bool ends_chain(std::coroutine_handle<> continuation) const noexcept {
        return continuation.address() == static_cast<const void*>(static_cast<const resumable*>(this));
    }

    task_record* newer() const noexcept { return newer_; }
    task_record* older() const noexcept { return older_; }

    /// Makes it known to its loop and ready, or runs its first step at once. The loop's reference is the one it was born with.
    void start(bool eagerly);
    /// For the end of the loop, which asks every task once.
    void mark_asked_to_end() noexcept { asked_to_end_ = true; }
    bool was_asked_to_end() const noexcept { return asked_to_end_; }

    /// Destroys the frames of a task that will not end by itself, innermost first, and cancels it. Not ready any more, not
    /// running, and no operation of the backend is in them.
    void tear_down(std::string_view why) noexcept;

protected:
    task_record(event_loop& loop, std::coroutine_handle<> root, frame_header& header, resumable::function completed,
                task_options&& options);
    /// A picture: what there is to read of `of`, without its frames and its context; no loop knows it.
    explicit task_record(const task_record& of);
    ~task_record();
    std::coroutine_handle<> end_of_chain() noexcept { return resumable::handle(); }

    static task_record& of_completion(resumable* completion) noexcept;
    /// The frames are gone, the outcome is known: tells those who wait, and lets go.
    void finish(std::exception_ptr error) noexcept;
    /// A return after an undelivered task::cancel() counts as cancelled.
    std::exception_ptr cancelled_while_returning() noexcept;
    /// The coroutine has ended: what it was made from is no longer needed.
    virtual void drop_call() noexcept {}
    std::coroutine_handle<> release_root() noexcept { return std::exchange(root_, nullptr); }

private:
    static void step(ready_node& node, event_loop& loop);
    void run_step(event_loop& loop);
    void end_unstarted();
    void start_observed(bool eagerly);
    void make_ready_observed() noexcept;
    void link() noexcept;
    void unlink() noexcept;
    bool interrupted_now() noexcept;
    cancel_step begin_cancel(const std::string& message) override;
    cancel_step continue_cancel(const std::string& message, bool accepted) override;
    bool cancel_again(const std::string& message) override;
    void was_asked(const std::string& message, bool accepted) noexcept;
    /// Asks what it is blocked on. True: accepted.
    bool pass_on(const std::string& message) noexcept;
    void set_cancel_message(const std::string& message) noexcept;

    // What most tasks do not have.
    struct extras {
        std::string name;
        bool naming = false; // the name is being changed: a signal handler leaves it alone
        std::string cancel_message;
    };
    extras& more();

    static constexpr std::uint8_t caller_asked = 1;    // task::cancel(), not delivered yet (asyncio: _must_cancel)
    static constexpr std::uint8_t scope_asked = 2;     // a scope around it is cancelled and no shield is between
    static constexpr std::uint8_t caller_accepted = 4; // task::cancel(), and the awaiter will settle as cancelled

    std::coroutine_handle<> root_;
    task_record* newer_ = nullptr;
    task_record* older_ = nullptr;
    std::int32_t cancels_ = 0;
    std::uint8_t interrupt_ = 0;
    std::uint8_t masks_ = 0;
    std::uint8_t budget_ = await_budget;
    bool started_ : 1 = false;
    bool asked_to_end_ : 1 = false;
    context_ref context_;
    std::unique_ptr<extras> extras_;
};

/// The task that a frame runs in, once it was started.
inline task_record* task_of_frame(const frame_header& frame) noexcept { return static_cast<task_record*>(frame.task); }

/// A task that yields a T, with room for the value.
template <class T> class task_of : public task_record {
public:
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    stored& value() noexcept { return slot_.value; }
    const std::type_info& value_type() const noexcept override { return typeid(T); }

protected:
    /// The frame is the coroutine's until nothing can fail any more.
    task_of(event_loop& loop, coro<T>&& body, task_options&& options)
        : task_record(loop, coro_access::frame_of(body), coro_access::frame_of(body).promise(), &completed,
                      std::move(options)) {
        static_cast<void>(coro_access::release(body));
    }
    ~task_of() {
        if (state() == status::value) slot_.clear();
    }

private:
    static void completed(detail::resumable* completion) noexcept {
        auto& self = static_cast<task_of&>(of_completion(completion));
        auto frame = std::coroutine_handle<coro_promise<T>>::from_address(self.release_root().address());
        result<T>& outcome = frame.promise().outcome();
        std::exception_ptr error = outcome.take_error();
        if (!error) error = self.cancelled_while_returning();
        if (!error) {
            try {
                if constexpr (std::is_void_v<T>) self.slot_.emplace();
                else self.slot_.emplace(*std::move(outcome));
            } catch (...) {
                error = std::current_exception();
            }
        }
        frame.destroy();
        self.finish(std::move(error));
    }

    value_slot<stored> slot_;
};

/// A task made from a coroutine.
template <class T> class plain_task final : public task_of<T> {
public:
    plain_task(event_loop& loop, coro<T>&& body, task_options&& options)
        : task_of<T>(loop, std::move(body), std::move(options)) {}
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }

private:
    void destroy() noexcept override { delete this; }
};

/// Made before the coroutine that uses it, gone when that has ended.
template <class Call> struct call_holder {
    std::optional<Call> call;
};

/// A task made from a callable, which it holds as long as the coroutine lives.
template <class T, class Call> class task_holding final : private call_holder<Call>, public task_of<T> {
public:
    task_holding(event_loop& loop, Call&& call, task_options&& options)
        : call_holder<Call>{std::move(call)}, task_of<T>(loop, (*call_holder<Call>::call)(), std::move(options)) {}
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }

private:
    void drop_call() noexcept override { call_holder<Call>::call.reset(); }
    void destroy() noexcept override { delete this; }
};

} // namespace detail
} // namespace rondo
