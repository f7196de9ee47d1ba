#include <rondo/task/instrument.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/event_loop.hpp>
#include <rondo/task/detail/task_record.hpp>

#include "task/instrument_service.hpp"

#include <algorithm>
#include <utility>

namespace rondo {

namespace detail {

instrument_service::~instrument_service() {
    if (loop_) loop_access::observe(*loop_, nullptr);
}

void instrument_service::add(event_loop& loop, std::shared_ptr<instrument> added) {
    if (std::ranges::find(all_, added) != all_.end()) return;
    all_.push_back(std::move(added));
    loop_ = &loop;
    loop_access::observe(loop, this);
}

bool instrument_service::remove(const instrument& removed) noexcept {
    const auto found = std::ranges::find(all_, &removed, [](const auto& one) { return one.get(); });
    if (found == all_.end()) return false;
    const std::shared_ptr<instrument> until_the_end = std::move(*found); // its destructor may do anything
    found->reset();
    if (telling_ == 0) sweep();
    return true;
}

void instrument_service::sweep() noexcept {
    std::erase(all_, nullptr);
    if (all_.empty()) loop_access::observe(*loop_, nullptr);
}

template <class F> void instrument_service::tell(const char* hook, F&& call) noexcept {
    ++telling_;
    const std::size_t count = all_.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::shared_ptr<instrument> one = all_[i];
        if (!one) continue;
        try {
            call(*one);
        } catch (...) {
            remove(*one);
            failed(hook, std::current_exception());
        }
    }
    if (--telling_ == 0 && std::ranges::find(all_, nullptr) != all_.end()) sweep();
}

/// The exception handler is the program's own code: not in the middle of things.
void instrument_service::failed(const char* hook, std::exception_ptr error) noexcept {
    failures_.push_back({hook, std::move(error)});
    if (loop_access::state(*loop_).closing) report_failures(); // there will be no next pass
    else if (failures_.size() == 1) loop_->call_soon([this] { report_failures(); });
}

void instrument_service::report_failures() noexcept {
    for (const failure& f : std::exchange(failures_, {})) {
        loop_access::report(*loop_, {.message = "an instrument failed in " + std::string(f.hook) + "() and was removed",
                                     .exception = f.error});
    }
}

void instrument_service::close(event_loop&, closing) noexcept {
    if (!failures_.empty()) report_failures();
}

namespace {

task_base handle_of(task_record& t) noexcept { return task_base(counted_ptr<future_state>(&t)); }

} // namespace

void instrument_service::run_begins() noexcept {
    tell("before_run", [](instrument& i) { i.before_run(); });
}
void instrument_service::run_ends() noexcept {
    tell("after_run", [](instrument& i) { i.after_run(); });
}
void instrument_service::wait_begins(delay timeout) noexcept {
    tell("before_io_wait", [&](instrument& i) { i.before_io_wait(timeout); });
}
void instrument_service::wait_ends(delay timeout) noexcept {
    tell("after_io_wait", [&](instrument& i) { i.after_io_wait(timeout); });
}

void instrument_service::run(ready_node& node, event_loop& loop) {
    task_record* t = task_record::of_node(node);
    if (!t) {
        node.run(node, loop);
        return;
    }
    const task_base task = handle_of(*t); // the step may be its last
    tell("before_task_step", [&](instrument& i) { i.before_task_step(task); });
    node.run(node, loop);
    tell("after_task_step", [&](instrument& i) { i.after_task_step(task); });
}

void instrument_service::spawned(task_record& t) noexcept {
    const task_base task = handle_of(t);
    tell("task_spawned", [&](instrument& i) { i.task_spawned(task); });
}
void instrument_service::scheduled(task_record& t) noexcept {
    const task_base task = handle_of(t);
    tell("task_scheduled", [&](instrument& i) { i.task_scheduled(task); });
}
void instrument_service::exited(task_record& t) noexcept {
    const task_base task = handle_of(t);
    tell("task_exited", [&](instrument& i) { i.task_exited(task); });
}

} // namespace detail

instrument::~instrument() = default;

void add_instrument(std::shared_ptr<instrument> added) { add_instrument(running_loop(), std::move(added)); }

void add_instrument(event_loop& loop, std::shared_ptr<instrument> added) {
    if (!added) throw type_error("null is no instrument");
    detail::loop_access::check_usable(loop);
    detail::service<detail::instrument_service>(loop).add(loop, std::move(added));
}

bool remove_instrument(const std::shared_ptr<instrument>& removed) {
    return remove_instrument(running_loop(), removed);
}

bool remove_instrument(event_loop& loop, const std::shared_ptr<instrument>& removed) {
    if (!removed || loop.is_closed()) return false;
    detail::loop_access::check_usable(loop);
    return detail::service<detail::instrument_service>(loop).remove(*removed);
}

} // namespace rondo
