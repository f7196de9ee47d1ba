#include <rondo/task/detail/task_record.hpp>

#include <rondo/coro/invariant.hpp>
#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/launch.hpp>
#include <rondo/task/detail/scope_tree.hpp>

#include "coro/without_memory.hpp"

#include <algorithm>
#include <new>

namespace rondo::detail {

namespace {

constinit thread_local bool destroying_frames = false;

} // namespace

bool frames_are_being_destroyed() noexcept { return destroying_frames; }

task_record::task_record(event_loop& loop, std::coroutine_handle<> root, frame_header& header,
                         resumable::function completed, task_options&& options)
    : future_state(loop, options.where),
      ready_node(&step),
      task_head{root},
      resumable{completed},
      root_(root),
      context_(options.context ? options.context->state() : fork_context()) {
    mark_task();
    if (!options.name.empty()) set_name(std::move(options.name));
    header.task = this;
    header.continuation = resumable::handle();
}

task_record::task_record(const task_record& of)
    : future_state(of),
      ready_node(&step),
      task_head{},
      resumable{nullptr},
      cancels_(of.cancels_),
      started_(of.started_),
      extras_(of.extras_ ? std::make_unique<extras>(*of.extras_) : nullptr) {
    mark_task();
}

task_record::~task_record() { require_invariant(root_ == nullptr, "a task record outlives its frames"); }

task_record& task_record::of_completion(resumable* completion) noexcept {
    return static_cast<task_record&>(*completion);
}

void task_record::start(bool eagerly) {
    link();
    loop_state& here = loop_access::state(loop());
    if (here.observer) [[unlikely]]
        start_observed(eagerly);
    else if (eagerly && loop().is_running()) run_step(loop());
    else here.ready.push(*this);
}

void task_record::start_observed(bool eagerly) {
    loop_state& here = loop_access::state(loop());
    here.observer->spawned(*this);
    if (!eagerly || !loop().is_running()) make_ready();
    else if (here.observer) here.observer->run(*this, loop()); // it may have removed its last instrument
    else run_step(loop());
}

void task_record::make_ready_observed() noexcept {
    loop_state& here = loop_access::state(loop());
    here.observer->scheduled(*this);
    here.ready.push(*this);
}

void task_record::step(ready_node& node, event_loop& loop) { static_cast<task_record&>(node).run_step(loop); }

void task_record::run_step(event_loop& loop) {
    loop_state& here = loop_access::state(loop);
    task_record* const before = std::exchange(here.current, this);
    budget_ = await_budget;
    if (!started_ && must_cancel()) [[unlikely]] {
        end_unstarted();
    } else {
        started_ = true;
        context_ref* const around = std::exchange(current_context_slot, &context_);
        innermost.resume();            // may end the task, and this with it; no frame lets an exception out
        current_context_slot = around; // so no context_switch, whose unwinding would cost each step
    }
    here.current = before;
}

void task_record::end_unstarted() {
    std::exception_ptr error = take_cancellation(false);
    release_root().destroy();
    finish(std::move(error));
}

void task_record::finish(std::exception_ptr error) noexcept {
    drop_call();
    unlink();
    scope = nullptr;
    if (error && is_exit_request(error)) { // the loop throws it
        loop_access::state(loop()).exit_request = error;
        mark_observed();
    }
    if (error) settle_error(std::move(error));
    else settle_value();
    if (report_when_failed) report_if_failed(*this);
    if (loop_observer* observer = loop_access::state(loop()).observer) [[unlikely]]
        observer->exited(*this);
    release();
}

std::exception_ptr task_record::cancelled_while_returning() noexcept {
    return (interrupt_ & caller_asked) != 0 ? take_cancellation(false) : nullptr;
}

future_state::cancel_step task_record::begin_cancel(const std::string& message) {
    if (done()) return {};
    ++cancels_;
    const bool reachable = masks_ == 0 && blocked_on;
    if (future_state* next = reachable ? blocked_on->begin_cancel() : nullptr) return {.ask = next};
    was_asked(message, reachable && pass_on(message));
    return {.accepted = true};
}

future_state::cancel_step task_record::continue_cancel(const std::string& message, bool accepted) {
    if (blocked_on) accepted = blocked_on->end_cancel(accepted) == cancel_outcome::accepted;
    was_asked(message, accepted);
    return {.accepted = true};
}

bool task_record::cancel_again(const std::string& message) {
    ++cancels_;
    was_asked(message, blocked_on && (interrupt_ & caller_accepted) != 0);
    return true;
}

void task_record::was_asked(const std::string& message, bool accepted) noexcept {
    // While one is on its way, that one's message stays.
    if ((interrupt_ & caller_accepted) == 0) set_cancel_message(message);
    interrupt_ |= accepted ? caller_accepted : caller_asked;
}

bool task_record::pass_on(const std::string& message) noexcept {
    const cancel_mark before = std::exchange(mark_, cancel_mark::asking);
    const bool accepted = blocked_on->cancel(message) == cancel_outcome::accepted;
    mark_ = before;
    return accepted;
}

/// Without memory it is cancelled all the same, and not told why.
void task_record::set_cancel_message(const std::string& message) noexcept {
    try {
        if (extras_ || !message.empty()) more().cancel_message = message;
    } catch (const std::bad_alloc&) {
        if (extras_) extras_->cancel_message.clear();
    }
}

int task_record::uncancel() noexcept {
    if (cancels_ > 0) --cancels_;
    if (cancels_ == 0) interrupt_ &= static_cast<std::uint8_t>(~caller_asked);
    return cancels_;
}

void task_record::ask_again() noexcept { interrupt_ |= caller_asked; }

bool task_record::interrupted_now() noexcept {
    interrupt_ &= static_cast<std::uint8_t>(~caller_accepted); // a new wait: what the last one accepted is history
    return (interrupt_ & scope_asked) != 0 || must_cancel();
}

void task_record::forward_interruption() noexcept {
    const bool by_caller = must_cancel();
    const std::string message = text_if_possible(by_caller && extras_ ? extras_->cancel_message : std::string_view());
    if (pass_on(message) && by_caller) {
        interrupt_ &= static_cast<std::uint8_t>(~caller_asked);
        interrupt_ |= caller_accepted;
    }
}

std::exception_ptr task_record::take_cancellation(bool awaiter_was_cancelled) noexcept {
    const bool by_caller = must_cancel() || (interrupt_ & caller_accepted) != 0;
    if (by_caller || !awaiter_was_cancelled) {
        interrupt_ &= static_cast<std::uint8_t>(~(caller_asked | caller_accepted));
        const std::string message = extras_ ? std::exchange(extras_->cancel_message, {}) : std::string();
        return cancellation(message, nullptr);
    }
    const scope_node* origin = scope_node::origin_of_cancellation(scope);
    return cancellation(origin ? origin->reason() : std::string_view(), origin);
}

void task_record::scope_changed() noexcept {
    const bool cancelled = scope_node::is_cancelled(scope);
    if (cancelled == ((interrupt_ & scope_asked) != 0)) return;
    interrupt_ ^= scope_asked;
    if (cancelled && blocked_on) pass_on({});
}

task_record::extras& task_record::more() {
    if (!extras_) extras_ = std::make_unique<extras>();
    return *extras_;
}

const std::string& task_record::name() {
    if (more().name.empty()) set_name("Task-" + std::to_string(id()));
    return extras_->name;
}
void task_record::set_name(std::string n) {
    extras& own = more();
    own.naming = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    own.name = std::move(n);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    own.naming = false;
}
std::string task_record::known_name() const {
    return extras_ && !extras_->name.empty() ? extras_->name : "Task-" + std::to_string(id());
}
std::string task_record::label() const { return "task '" + known_name() + "'"; }

void task_record::picture(running_task& into) const noexcept {
    into.id = id();
    into.created_at = created_at();
    into.name_size = 0;
    if (extras_ && !extras_->naming) {
        into.name_size = std::min(extras_->name.size(), running_task::max_name);
        std::copy_n(extras_->name.data(), into.name_size, into.name);
    }
    into.depth = 0;
    for (auto frame = innermost; frame && !ends_chain(frame) && into.depth < running_task::max_frames;) {
        const frame_header& header = header_of(frame);
        into.frames[into.depth++] = {header.await_at, header.function};
        frame = header.continuation;
    }
}

void task_record::link() noexcept {
    loop_state& here = loop_access::state(loop());
    older_ = here.tasks;
    if (older_) older_->newer_ = this;
    else here.oldest_task = this;
    here.tasks = this;
}

void task_record::unlink() noexcept {
    loop_state& here = loop_access::state(loop());
    (newer_ ? newer_->older_ : here.tasks) = older_;
    (older_ ? older_->newer_ : here.oldest_task) = newer_;
    newer_ = older_ = nullptr;
}

void task_record::tear_down(std::string_view why) noexcept {
    const bool before = std::exchange(destroying_frames, true);
    blocked_on = nullptr;
    std::coroutine_handle<> frame = innermost;
    while (frame != root_) {
        const std::coroutine_handle<> parent = header_of(frame).continuation;
        frame.destroy();
        frame = parent;
    }
    release_root().destroy();
    destroying_frames = before;
    finish(cancellation(why, nullptr));
}

} // namespace rondo::detail
