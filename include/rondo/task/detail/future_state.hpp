// What a future and a task have in common: the state that their handles share.
#pragma once

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/coro/frame.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/loop/detail/loop_state.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

namespace rondo::detail {

class future_state;

/// Something that waits for a future: an awaiter in a frame, a done-callback, a combinator. In at most one list.
struct done_node {
    using function = void (*)(done_node&, future_state&) noexcept;
    explicit done_node(function f) noexcept : fire(f) {}
    done_node(const done_node&) = delete;
    done_node& operator=(const done_node&) = delete;

    bool linked() const noexcept { return previous != nullptr; }

    done_node** previous = nullptr; // what points to this node
    done_node* next = nullptr;
    function fire; // called once, with the node unlinked; makes things ready, runs no user code
};

/// Process-wide numbers without an atomic operation for each: a thread takes a thousand at a time.
struct id_portion {
    std::uint64_t next = 0;
    std::uint64_t end = 0;
};
extern constinit thread_local id_portion future_ids [[gnu::tls_model("initial-exec")]];
std::uint64_t take_portion_of_ids() noexcept;
inline std::uint64_t new_future_id() noexcept {
    return future_ids.next != future_ids.end ? future_ids.next++ : take_portion_of_ids();
}

/// pending -> value, error or cancelled, once. Counted, not atomically: it belongs to its loop's thread.
class future_state {
public:
    enum class status : std::uint8_t { pending, value, error, cancelled };

    future_state(event_loop& loop, std::source_location where) noexcept
        : loop_(&loop), id_(new_future_id()), created_at_(where) {}
    future_state& operator=(const future_state&) = delete;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) last_release();
    }
    std::uint32_t references() const noexcept { return references_; }

    event_loop& loop() const noexcept { return *loop_; }
    std::uint64_t id() const noexcept { return id_; }
    std::source_location created_at() const noexcept { return created_at_; }
    status state() const noexcept { return status_; }
    bool done() const noexcept { return status_ != status::pending; }
    bool is_task() const noexcept { return is_task_; }

    /// The error or the cancellation; null for a value. Whoever looks has observed it.
    const std::exception_ptr& error() const noexcept { return error_; }
    void mark_observed() noexcept { observed_ = true; }
    /// Throws invalid_state_error when pending; throws the error when there is one.
    void require_value();

    /// For combinators and awaiters: `node.fire` is called when this is done, in the order of the calls.
    void add_done_node(done_node& node) noexcept;
    void remove_done_node(done_node& node) noexcept;
    done_node* first_waiter() const noexcept { return waiters_; }

    /// A future is cancelled at once; a task is asked, and asks what it waits for in its turn, on and on; a gather asks its
    /// children. False: it is done, or it is just passing a cancellation on and the circle of those who wait leads back to it.
    bool cancel(const std::string& message);
    virtual const std::type_info& value_type() const noexcept = 0;
    /// "Task-3 'name'" or "future 17", for people.
    virtual std::string label() const = 0;
    /// More of it, as Python's repr(): to_string() of its handles.
    std::string text() const;
    /// In debug mode, in another thread than the one that runs its loop: runtime_error.
    void check_thread() const {
        if (!picture_) detail::check_thread(loop_);
    }
    /// Those whose end ends it, where it is no task: the children of a gather. An edge of the await graph.
    virtual void depends_on(std::vector<const future_state*>& who) const { static_cast<void>(who); }

    /// Ends it with an error; a cancelled_error makes it cancelled. It must be pending.
    void settle_error(std::exception_ptr error) noexcept;
    /// Ends it with an error that is one even when it is a cancelled_error: a gather's child was cancelled, not the gather.
    void settle_failed(std::exception_ptr error) noexcept;
    void settle_value() noexcept { settle(status::value); }

    bool value_taken = false;        // take() moved the value out
    bool report_when_failed = false; // nobody holds a handle: spawn()

protected:
    /// A picture of one that is pending: the same number, loop and place, nobody waits for it.
    future_state(const future_state& of) noexcept
        : loop_(of.loop_), picture_(true), id_(of.id_), created_at_(of.created_at_) {}
    ~future_state() {
        if (waiters_) [[unlikely]]
            tell_waiters(); // they see a future that is not done: nobody will ever end it
    }
    virtual void destroy() noexcept = 0;

    // The steps of cancel(), for cancel_walk.
    /// Who has to be asked next, or null and the answer.
    struct cancel_step {
        future_state* ask = nullptr;
        bool accepted = false;
    };
    virtual cancel_step begin_cancel(const std::string& message) = 0;
    /// Who was asked has given that answer.
    virtual cancel_step continue_cancel(const std::string& message, bool accepted);
    /// In the same cancel(), after others were asked and have answered: they are not asked once more.
    virtual bool cancel_again(const std::string& message);
    /// asking: others, for a cancel() that has come this far; has_asked: it has gone on from here.
    enum class cancel_mark : std::uint8_t { none, asking, has_asked };
    cancel_mark mark_ = cancel_mark::none;

    void settle(status how) noexcept {
        status_ = how;
        if (waiters_) tell_waiters();
    }
    cancel_step cancel_now(const std::string& message);
    void mark_task() noexcept { is_task_ = true; }

private:
    friend class cancel_walk;
    void tell_waiters() noexcept;
    void last_release() noexcept {
        if (status_ == status::error && !observed_ && !release_unobserved()) return;
        destroy();
    }
    bool release_unobserved() noexcept;
    void report_unobserved() noexcept;

    event_loop* loop_;
    std::uint32_t references_ = 1;
    status status_ = status::pending;
    bool observed_ = false;
    bool is_task_ = false;
    bool picture_ = false;         // it belongs to the thread that asked for it
    done_node* waiters_ = nullptr; // oldest first
    done_node** last_waiter_ = &waiters_;
    std::exception_ptr error_;
    std::uint64_t id_;
    std::source_location created_at_;
    future_state* asked_by_ = nullptr; // while mark_ is set: the cancel_walk's
};

inline void retain(future_state& s) noexcept { s.retain(); }
inline void release(future_state& s) noexcept { s.release(); }

/// Room for a value that comes later.
template <class T> class value_slot {
public:
    value_slot() noexcept {}
    value_slot(const value_slot&) = delete;
    value_slot& operator=(const value_slot&) = delete;
    ~value_slot() {}
    template <class... A> void emplace(A&&... args) {
        std::construct_at(std::addressof(value), std::forward<A>(args)...);
    }
    void clear() noexcept { std::destroy_at(std::addressof(value)); }
    union {
        T value;
    };
};

/// The state of a future<T>.
template <class T> class future_of : public future_state {
public:
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    future_of(event_loop& loop, std::source_location where) noexcept : future_state(loop, where) {}

    template <class... A> void set_value(A&&... args) {
        slot_.emplace(std::forward<A>(args)...);
        settle_value();
    }
    stored& value() noexcept { return slot_.value; }
    const std::type_info& value_type() const noexcept override { return typeid(T); }
    std::string label() const override { return "future " + std::to_string(id()); }

protected:
    ~future_of() {
        if (state() == status::value) slot_.clear();
    }
    cancel_step begin_cancel(const std::string& message) override { return cancel_now(message); }

private:
    value_slot<stored> slot_;
};

/// One that somebody sets.
template <class T> class plain_future final : public future_of<T> {
public:
    using future_of<T>::future_of;
    static void* operator new(std::size_t size) { return allocate_block(size); }
    static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }

private:
    void destroy() noexcept override { delete this; }
};

} // namespace rondo::detail
