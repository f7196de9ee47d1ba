#include <rondo/coro/detail/generator_frame.hpp>

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/coro/invariant.hpp>

#include "coro/without_memory.hpp"

#include <utility>

namespace rondo::detail {

void generator_frame::start_header(std::coroutine_handle<> frame, std::source_location where) noexcept {
    require_invariant(&header_of(frame) == static_cast<frame_header*>(this), "a frame's header lies at frame + 16");
    handle_ = frame;
    await_at = where;
    function = where;
}

void generator_frame::require_drivable() const {
    if (parent_) throw value_error("this generator is delegated to by another one");
    if (running_) throw value_error("this generator is already running");
}

void generator_frame::rethrow_error() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

bool generator_frame::throw_in(std::exception_ptr error) {
    require_drivable();
    if (!started_ || finished_) {
        finished_ = true;
        std::rethrow_exception(std::move(error));
    }
    if (leaf_ != this && exception_cast<generator_exit>(error)) closing_ = leaf_;
    thrown_ = std::move(error);
    if (drive()) return true;
    rethrow_error();
    return false;
}

void generator_frame::close() {
    require_drivable();
    if (!started_ || finished_) {
        finished_ = true;
        return;
    }
    if (leaf_ != this) closing_ = leaf_;
    thrown_ = std::make_exception_ptr(generator_exit(text_if_possible("the generator is being closed")));
    if (drive()) throw runtime_error("the generator ignored generator_exit: it yielded while it was being closed");
    if (exception_cast<generator_exit>(error_)) error_ = nullptr;
    rethrow_error();
}

std::coroutine_handle<> generator_frame::yield_while_closing() noexcept {
    generator_frame& root = *root_;
    // The frame that is being closed lives on, with what it delegates to by now, and its parent hears of it.
    generator_frame& stubborn = *root.closing_;
    stubborn.ignored_exit_ = true;
    stubborn.leaf_ = this;
    delegation::give_root(*this, stubborn, stubborn);
    root.leaf_ = stubborn.parent_;
    return stubborn.parent_->handle_;
}

void generator_frame::rethrow_thrown() { std::rethrow_exception(std::exchange(root_->thrown_, nullptr)); }

std::coroutine_handle<> generator_frame::ended() noexcept {
    finished_ = true;
    if (!parent_) return std::noop_coroutine();
    root_->leaf_ = parent_;
    return parent_->handle_;
}

void generator_frame::destroy() noexcept {
    // What is delegated to as an lvalue lives on, with all below it.
    delegation* borrowed = nullptr;
    for (generator_frame* frame = leaf_; frame != this; frame = frame->parent_) {
        if (!frame->delegated_by_->owns_inner()) borrowed = frame->delegated_by_;
    }
    if (borrowed) borrowed->unlink();
    while (leaf_ != this) {
        generator_frame& frame = *leaf_;
        delegation& link = *frame.delegated_by_;
        leaf_ = frame.parent_;
        link.inner_ = nullptr;
        link.forget_inner();
        frame.handle_.destroy();
    }
    handle_.destroy();
}

delegation::~delegation() { unlink(); }

bool delegation::already_ended(const generator_frame& inner) {
    inner.require_drivable();
    return inner.finished_;
}

/// From `leaf` up to `last`: the chain belongs to another root now.
void delegation::give_root(generator_frame& leaf, const generator_frame& last, generator_frame& root) noexcept {
    for (generator_frame* frame = &leaf;; frame = frame->parent_) {
        frame->root_ = &root;
        if (frame == &last) return;
    }
}

std::coroutine_handle<> delegation::begin(generator_frame& outer, generator_frame& inner) noexcept {
    outer_ = &outer;
    inner_ = &inner;
    generator_frame& root = *outer.root_;
    give_root(*inner.leaf_, inner, root);
    inner.parent_ = &outer;
    inner.delegated_by_ = this;
    inner.continuation = outer.handle_;
    inner.started_ = true;
    root.leaf_ = inner.leaf_;
    root.sent_ = nullptr;
    return root.leaf_->handle_;
}

/// The inner generator is a root again.
void delegation::unlink() noexcept {
    if (!inner_) return;
    generator_frame& inner = *std::exchange(inner_, nullptr);
    generator_frame& root = *outer_->root_;
    if (inner.root_ == &root) { // still in the chain: what lies below it stays with it
        inner.leaf_ = inner.finished_ ? &inner : root.leaf_;
        if (!inner.finished_) give_root(*inner.leaf_, inner, inner);
        inner.root_ = &inner;
        root.leaf_ = outer_;
    }
    inner.parent_ = nullptr;
    inner.delegated_by_ = nullptr;
    inner.continuation = nullptr;
}

void delegation::end() {
    generator_frame& inner = *inner_;
    generator_frame& root = *outer_->root_;
    unlink();
    const bool was_closed = root.closing_ == &inner;
    if (was_closed) root.closing_ = outer_ == &root ? nullptr : outer_;
    if (std::exchange(inner.ignored_exit_, false))
        throw runtime_error("the generator ignored generator_exit: it yielded while it was being closed");
    if (inner.error_ && !(was_closed && exception_cast<generator_exit>(inner.error_)))
        std::rethrow_exception(std::exchange(inner.error_, nullptr));
    if (was_closed) throw generator_exit(text_if_possible("the generator is being closed"));
}

} // namespace rondo::detail
