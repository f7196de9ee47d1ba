// The frames of generators: a chain of delegation, driven at its leaf.
//
// The outermost generator, the root, knows the innermost one that it delegates to, the leaf. Values that are sent, exceptions
// that are thrown in and values that are yielded pass between the driver and the leaf directly, whatever lies between: a step
// costs the same at any depth (PEP 380 specifies a loop through all levels; nobody can see the difference).
#pragma once

#include <rondo/coro/frame.hpp>

#include <coroutine>
#include <cstdint>
#include <exception>
#include <source_location>
#include <utility>

namespace rondo::detail {

class delegation;

/// Rules for closing (PEP 342, PEP 380): generator_exit is thrown at the leaf; when that has ended, it is thrown at the place
/// where its parent delegates, and so on up to the root. A frame that yields while it is being closed leaves its parent with
/// runtime_error instead. `closing` is the frame whose turn it is.
class generator_frame : public frame_header, public pooled_frame {
public:
    generator_frame(const generator_frame&) = delete;
    generator_frame& operator=(const generator_frame&) = delete;

    bool finished() const noexcept { return finished_; }
    bool started() const noexcept { return started_; }

    // For the driver, on a root.
    /// Goes on until the next yield or the end; true: something was yielded. value_error: it is running, or delegated to.
    bool resume(void* sent) {
        if (parent_ || running_) [[unlikely]]
            require_drivable();
        if (finished_) return false;
        sent_ = sent;
        if (drive()) return true;
        if (error_) [[unlikely]]
            rethrow_error();
        return false;
    }
    bool throw_in(std::exception_ptr error);
    /// runtime_error when it yields, what its body throws otherwise; a generator_exit is taken.
    void close();
    void* yielded() const noexcept { return yielded_; }
    /// Destroys the frames below this one, the leaf first, without recursion; then this one.
    void destroy() noexcept;

    // For the coroutine.
    std::suspend_always initial_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { error_ = std::current_exception(); }
    struct final_awaiter {
        bool await_ready() const noexcept { return false; }
        template <class P> std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) const noexcept {
            return frame.promise().ended();
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }

protected:
    generator_frame() noexcept = default;
    ~generator_frame() = default;
    void start_header(std::coroutine_handle<> frame, std::source_location where) noexcept;

    /// A yield: to whom control goes.
    std::coroutine_handle<> yield(void* value) noexcept {
        if (root_->closing_) [[unlikely]]
            return yield_while_closing();
        root_->yielded_ = value;
        return std::noop_coroutine();
    }
    /// After a yield: throws what was thrown in. What was sent, or null.
    void* take_sent() {
        if (root_->thrown_) [[unlikely]]
            rethrow_thrown();
        return std::exchange(root_->sent_, nullptr);
    }

private:
    friend class delegation;
    std::coroutine_handle<> ended() noexcept;
    std::coroutine_handle<> yield_while_closing() noexcept;
    /// Resumes the leaf. True: something was yielded to the driver.
    bool drive() {
        yielded_ = nullptr;
        started_ = true;
        running_ = true;
        leaf_->handle_.resume();
        running_ = false;
        return yielded_ != nullptr;
    }
    void require_drivable() const;
    void rethrow_error();
    [[noreturn]] void rethrow_thrown();

    std::coroutine_handle<> handle_;
    generator_frame* parent_ = nullptr; // which delegates to this one
    generator_frame* root_ = this;
    delegation* delegated_by_ = nullptr; // in the parent's frame
    std::exception_ptr error_;           // what the body threw
    bool started_ = false;
    bool finished_ = false;
    bool ignored_exit_ = false; // it yielded while it was being closed
    // Of a root:
    bool running_ = false;
    generator_frame* leaf_ = this;
    generator_frame* closing_ = nullptr;
    void* yielded_ = nullptr;
    void* sent_ = nullptr;
    std::exception_ptr thrown_;
};

/// The link between a generator and the one it delegates to; lives in the frame of the former.
class delegation {
public:
    delegation(const delegation&) = delete;
    delegation& operator=(const delegation&) = delete;

protected:
    delegation() noexcept = default;
    ~delegation();
    /// value_error when `inner` is running or delegated to already. True: it has ended, there is nothing to wait for.
    static bool already_ended(const generator_frame& inner);
    std::coroutine_handle<> begin(generator_frame& outer, generator_frame& inner) noexcept;
    /// Throws what the inner one threw, or what closing demands.
    void end();
    /// The frame of an owned inner generator is gone.
    virtual void forget_inner() noexcept = 0;
    virtual bool owns_inner() const noexcept = 0;

private:
    friend class generator_frame;
    static void give_root(generator_frame& leaf, const generator_frame& last, generator_frame& root) noexcept;
    void unlink() noexcept;
    generator_frame* outer_ = nullptr;
    generator_frame* inner_ = nullptr;
};

} // namespace rondo::detail
