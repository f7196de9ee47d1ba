#include <rondo/task/run.hpp>

#include <rondo/task/detail/future_state.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "task/run_main.hpp"

#include <csignal>

namespace rondo {

namespace detail {

void run_until_done(event_loop& loop, future_state& f) {
    struct stopper : done_node {
        explicit stopper(event_loop& l) noexcept : done_node(&stop), loop(l) {}
        static void stop(done_node& node, future_state&) noexcept { static_cast<stopper&>(node).loop.stop(); }
        event_loop& loop;
    } at_end(loop);
    if (&f.loop() != &loop) throw value_error(f.label() + " belongs to a different event loop");
    struct detach {
        future_state& f;
        stopper& node;
        ~detach() { f.remove_done_node(node); }
    } guard{f, at_end};
    f.add_done_node(at_end);
    try {
        loop.run_forever();
    } catch (...) {
        if (f.done()) f.mark_observed(); // an exit request is both thrown here and stored there
        throw;
    }
    if (!f.done()) throw runtime_error("the event loop was stopped before " + f.label() + " was done");
}

void run_main(event_loop& loop, const future_base& main, bool handle_sigint,
              const std::function<void(int)>& interrupted) {
    // Shared, because a handler that is scheduled already may run after the main task's end.
    const auto interrupts = std::make_shared<int>(0);
    os& system = loop_access::backend(loop).os();
    const bool handling = handle_sigint && system.in_main_thread() && system.has_default_action(SIGINT);
    if (handling) {
        loop.add_signal_handler(SIGINT, [interrupts, main, interrupted] {
            ++*interrupts;
            if (interrupted) interrupted(*interrupts);
            if (*interrupts > 1) throw keyboard_interrupt("interrupted");
            main.state()->cancel("");
        });
    }
    struct restore {
        event_loop& loop;
        bool needed;
        ~restore() {
            if (needed) loop.remove_signal_handler(SIGINT);
        }
    } at_end{loop, handling};
    run_until_done(loop, *main.state());
    if (*interrupts == 0 || !main.cancelled()) return;
    if (main.state()->is_task() && static_cast<task_record&>(*main.state()).uncancel() == 0)
        throw keyboard_interrupt("interrupted");
}

} // namespace detail

runner::runner() = default;
runner::runner(run_options options) : options_(std::move(options)) {}
runner::~runner() { close(); }

event_loop& runner::loop() {
    if (closed_) throw runtime_error("this runner is closed");
    if (!loop_) {
        loop_ = options_.loop_factory ? options_.loop_factory() : std::make_unique<event_loop>();
        if (options_.debug) loop_->set_debug(*options_.debug);
        if (options_.watchdog) loop_->set_watchdog(*options_.watchdog);
        if (options_.busy_poll) detail::loop_access::set_busy_poll(*loop_, *options_.busy_poll);
        for (const std::shared_ptr<instrument>& one : options_.instruments) add_instrument(*loop_, one);
        context_ = copy_context();
    }
    return *loop_;
}

void runner::prepare() {
    if (running_loop_or_null()) throw runtime_error("run() cannot be called from a running event loop");
    loop();
}

void runner::run_main(const future_base& main) { detail::run_main(*loop_, main, options_.handle_sigint); }

void runner::close() {
    if (closed_) return;
    closed_ = true;
    const bool ours = loop_ && detail::loop_access::state(*loop_).generation == detail::process_generation;
    if (ours) loop_->close();
    loop_.reset();
}

} // namespace rondo
