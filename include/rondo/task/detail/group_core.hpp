// What a task group does, whatever its children yield.
#pragma once

#include <rondo/coro/frame.hpp>
#include <rondo/coro/result.hpp>
#include <rondo/task/cancel_scope.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/future_state.hpp>
#include <rondo/task/detail/scope_tree.hpp>
#include <rondo/task/detail/task_record.hpp>
#include <rondo/task/task.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rondo::detail {

class group_core {
public:
    /// Enters: the current task is the host.
    group_core();
    group_core(const group_core&) = delete;
    group_core& operator=(const group_core&) = delete;
    ~group_core();

    event_loop& loop() const noexcept { return host_.loop(); }
    rondo::cancel_scope& scope() noexcept { return scope_; }
    std::size_t size() const noexcept { return living_; }
    void cancel(const std::string& reason);

    /// Runs `make`, which is given the scope to be born in and returns a task, and makes that task a child of the group.
    /// `ready`: the child has to say first that it has started; what it fails with before that is not the group's.
    /// runtime_error when the group takes no more.
    template <class Make> auto create(Make&& make, counted_ptr<future_state> ready = {}) {
        require_open();
        std::unique_ptr<child> place(new child(*this, std::move(ready))); // nothing may fail once the task is made
        auto made = std::forward<Make>(make)(&scope_.node_);
        adopt(made.record(), std::move(place));
        return made;
    }

    /// runtime_error when begin_end() was called before, or somebody else asks than the host.
    void require_joinable() const;

    class join_awaiter;
    // The end, in the frame of the one who waits for it: a frame of its own might not be had when children are running.
    //     begin_end(error of the body);
    //     while (has_living()) waited(co_await as_result(join_awaiter(*this)));
    //     end()    gives what the group is to throw, or null
    void begin_end(std::exception_ptr body_error) noexcept;
    bool has_living() const noexcept { return living_ > 0; }
    void waited(const result<void>& outcome) noexcept;
    std::exception_ptr end();

private:
    /// A child's place in the group, and when it has failed its error's. A block of its own, freed when the child has ended, or
    /// its error was given on.
    struct child final : done_node, scope_member {
        child(group_core& g, counted_ptr<future_state> r) noexcept
            : done_node(&ended), group(&g), ready(std::move(r)) {}
        static void ended(done_node& node, future_state& of) noexcept;
        static void* operator new(std::size_t size) { return allocate_block(size); }
        static void operator delete(void* block, std::size_t size) noexcept { free_block(block, size); }
        group_core* group; // null: the group has let go of it
        counted_ptr<future_state> ready;
        std::exception_ptr error;
        child* newer = nullptr; // of those that live, or of those that failed
        child* older = nullptr;
    };

public:
    /// Waits until no child is left. While the group is shutting down nothing interrupts it.
    class join_awaiter final : public leaf_awaiter<join_awaiter, void> {
    public:
        explicit join_awaiter(group_core& g) noexcept : group_(g) {}
        join_awaiter(join_awaiter&& other) noexcept
            : leaf_awaiter(static_cast<leaf_awaiter&&>(other)), group_(other.group_) {}
        ~join_awaiter() {
            if (group_.joiner_ == this) group_.joiner_ = nullptr;
        }
        cancel_outcome cancel(const std::string& message) noexcept override;
        std::string describe() const override;
        void waits_for(std::vector<const future_state*>& who) const override;
        bool try_now() const noexcept { return group_.living_ == 0; }
        template <class P> RONDO_AWAIT_SUSPEND void await_suspend(std::coroutine_handle<P> frame) { wait(frame); }
        std::exception_ptr failure() { return group_.aborting_ && !was_cancelled() ? nullptr : take_interruption(); }
        void value() const noexcept {}
        void all_ended() noexcept { settle(); }

    private:
        void wait(std::coroutine_handle<> frame) noexcept;
        group_core& group_;
    };

private:
    void require_open() const;
    void adopt(task_record& t, std::unique_ptr<child> place);
    void child_ended(std::unique_ptr<child> c, future_state& of) noexcept;
    void unlink(child& c) noexcept;
    void fail(std::unique_ptr<child> c, const std::exception_ptr& error) noexcept;
    std::vector<std::exception_ptr> errors() const;
    void drop_errors() noexcept;
    void wake_joiner() noexcept;
    void report_errors_but(const std::exception_ptr& thrown) noexcept;
    void interrupt_body() noexcept;
    void abort(const std::string& reason) noexcept;

    task_record& host_;
    rondo::cancel_scope scope_;
    child* newest_ = nullptr;
    child* oldest_ = nullptr;
    std::size_t living_ = 0;
    join_awaiter* joiner_ = nullptr;
    std::vector<handle> deferred_; // children that failed eagerly, before anybody could have known them
    child* first_error_ = nullptr; // in the order in which they came
    child* last_error_ = nullptr;
    std::exception_ptr body_error_;
    std::exception_ptr cancellation_;
    std::exception_ptr exit_request_;
    bool aborting_ = false;
    bool exiting_ = false;
    bool finished_ = false;
    bool host_cancelled_ = false; // by us, once; taken back at the end
};

} // namespace rondo::detail
