#include <rondo/task/async_generator.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/coro/invariant.hpp>
#include <rondo/task/as_result.hpp>
#include <rondo/task/detail/launch.hpp>
#include <rondo/task/gather.hpp>

#include "coro/without_memory.hpp"
#include "task/async_generator_registry.hpp"

#include <cstddef>
#include <source_location>
#include <utility>
#include <vector>

namespace rondo::detail {

async_generator_frame::~async_generator_frame() { unlink(); }

void async_generator_frame::start_header(std::coroutine_handle<> frame, std::source_location where) noexcept {
    require_invariant(&header_of(frame) == static_cast<frame_header*>(this), "a frame's header lies at frame + 16");
    handle_ = frame;
    await_at = where;
    function = where;
}

std::coroutine_handle<> async_generator_frame::yield(void* value) noexcept {
    yielded_ = value;
    return transfer_to(continuation, task);
}

void* async_generator_frame::take_sent() {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    return std::exchange(sent_, nullptr);
}

std::coroutine_handle<> async_generator_frame::ended() noexcept {
    finished_ = true;
    unlink();
    return transfer_to(continuation, task);
}

void async_generator_frame::link(async_generator_registry& into) noexcept {
    next_ = into.first_;
    if (next_) next_->previous_ = &next_;
    previous_ = &into.first_;
    into.first_ = this;
}

void async_generator_frame::unlink() noexcept {
    if (!previous_) return;
    *previous_ = next_;
    if (next_) next_->previous_ = previous_;
    next_ = nullptr;
    previous_ = nullptr;
}

async_generator_owner::~async_generator_owner() {
    require_invariant(step_ == nullptr, "an async generator outlives the steps that are awaited");
    if (frame_) frame_->destroy();
}

void async_generator_owner::swap(async_generator_owner& other) noexcept {
    std::swap(frame_, other.frame_);
    std::swap(step_, other.step_);
    for (async_generator_owner* each : {this, &other}) {
        if (each->frame_) each->frame_->owner_ = each;
        if (each->step_) each->step_->owner_ = each;
    }
}

async_generator_step::async_generator_step(async_generator_step&& other) noexcept
    : owner_(other.owner_),
      thrown_(std::move(other.thrown_)),
      kind_(other.kind_),
      used_(std::exchange(other.used_, true)) {}

async_generator_step::~async_generator_step() {
    if (!running_) return;
    owner_->frame_ = nullptr;
    owner_->step_ = nullptr;
}

bool async_generator_step::await_ready() {
    if (std::exchange(used_, true)) throw runtime_error("this step of an async generator was awaited before");
    async_generator_frame* frame = owner_->frame_;
    if (owner_->step_) throw runtime_error("the async generator is already running");
    if (!frame) throw runtime_error("this async generator was moved from");
    if (!frame->started_ && !frame->finished_) {
        if (kind_ == kind::next) {
            event_loop& loop = static_cast<task_record*>(task_)->loop();
            static_cast<void>(service<async_generator_registry>(loop)); // made where it may fail
            return false;
        }
        if (kind_ == kind::send)
            throw type_error("a value cannot be sent to an async generator that has not started: await next() first");
        frame->finished_ = true;
    }
    if (frame->finished_ && kind_ == kind::throw_in) std::rethrow_exception(std::move(thrown_));
    return frame->finished_;
}

std::coroutine_handle<> async_generator_step::enter(std::coroutine_handle<> asking) noexcept {
    async_generator_frame& frame = *owner_->frame_;
    owner_->step_ = this;
    running_ = true;
    frame.continuation = asking;
    frame.task = task_;
    frame.yielded_ = nullptr;
    frame.sent_ = sent();
    frame.thrown_ =
        kind_ == kind::close
            ? std::make_exception_ptr(generator_exit(text_if_possible("the async generator is being closed")))
            : std::move(thrown_);
    if (!std::exchange(frame.started_, true)) {
        event_loop& loop = static_cast<task_record*>(task_)->loop();
        service<async_generator_registry>(loop).add(frame, loop);
    }
    return transfer_to(frame.handle_, frame.task);
}

void* async_generator_step::finish() {
    if (!running_) return nullptr; // there was nothing to run
    running_ = false;
    owner_->step_ = nullptr;
    async_generator_frame& frame = *owner_->frame_;
    std::exception_ptr error = std::exchange(frame.error_, nullptr);
    if (kind_ == kind::close) {
        if (frame.yielded_)
            throw runtime_error("the async generator ignored generator_exit: it yielded while it was being closed");
        if (exception_cast<generator_exit>(error)) error = nullptr;
    }
    if (error) std::rethrow_exception(std::move(error));
    return frame.yielded_;
}

async_generator_registry::~async_generator_registry() {
    while (first_) first_->unlink();
}

void async_generator_registry::add(async_generator_frame& frame, event_loop& loop) noexcept {
    frame.link(*this);
    if (!shut_down_) return;
    loop_access::report(loop,
                        {.message = "an async generator was started after shutdown_asyncgens(): nobody will close it",
                         .asyncgen = frame.function});
}

void async_generator_registry::close(event_loop& loop, closing step) noexcept {
    if (step != closing::threads) return;
    shut_down_ = true;
    if (!first_) return;
    const auto closer = launch(loop, {.name = "close async generators"}, close_all(loop));
    loop_access::run_while(loop, [&] { return !closer.done(); }, loop.time() + closing_patience);
}

/// The generator, unless it is gone by now: another one's cleanup may have destroyed it.
coro<void> async_generator_registry::close_one(const async_generator_frame* which) {
    for (async_generator_frame* frame = first_; frame; frame = frame->next_) {
        if (frame != which || frame->owner_->step_) continue;
        co_await async_generator_closing(*frame->owner_);
        co_return;
    }
}

coro<void> async_generator_registry::close_all(event_loop& loop) {
    std::vector<coro<void>> closers;
    std::vector<std::source_location> functions;
    for (async_generator_frame* frame = first_; frame; frame = frame->next_) {
        closers.push_back(close_one(frame));
        functions.push_back(frame->function);
    }
    const auto outcomes = co_await gather(return_exceptions, std::move(closers));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i] || outcomes[i].cancelled()) continue;
        loop_access::report(loop, {.message = "closing an async generator failed",
                                   .exception = outcomes[i].error(),
                                   .asyncgen = functions[i]});
    }
}

} // namespace rondo::detail

namespace rondo {

RONDO_CORO_WRAPPER coro<void> event_loop::shutdown_asyncgens() {
    check_usable();
    auto& registry = detail::service<detail::async_generator_registry>(*this);
    registry.shut_down();
    return registry.close_all(*this);
}

} // namespace rondo
