#include <rondo/task/run_sharded.hpp>

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/coro/exceptions.hpp>
#include <rondo/task/exception_group.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "loop/backend/os_thread.hpp"
#include "task/run_main.hpp"

#include <csignal>
#include <string>
#include <thread>

namespace rondo {

namespace detail {

namespace {

/// How a loop knows whose it is.
struct shard_service final : loop_service {
    shard* self = nullptr;
};

} // namespace

struct shard_group::member {
    member(shard_group& group, std::size_t index, std::unique_ptr<event_loop> made)
        : loop(std::move(made)), self(group, index, *loop) {
        service<shard_service>(*loop).self = &self;
    }
    std::unique_ptr<event_loop> loop;
    shard self;
    task_base main; // for the shard's thread
    bool has_value = false;
    std::thread thread;
};

shard_group::shard_group(std::size_t n, const sharded_options& options) : handle_sigint_(options.handle_sigint) {
    if (running_loop_or_null()) throw runtime_error("run_sharded() cannot be called from a running event loop");
    const std::vector<int> processors = usable_processors();
    if (options.pin_threads) processors_ = processors;
    if (n == 0) n = processors.size();
    for (std::size_t i = 0; i < n; ++i) {
        auto loop = options.loop_factory ? options.loop_factory() : std::make_unique<event_loop>();
        if (options.debug) loop->set_debug(*options.debug);
        members_.push_back(std::make_unique<member>(*this, i, std::move(loop)));
    }
}

shard_group::~shard_group() = default;

shard& shard_group::operator[](std::size_t i) const noexcept { return members_[i]->self; }

void shard_group::run(std::function<task_base(shard&)> start, std::function<void(shard&, const task_base&)> collect) {
    start_ = std::move(start);
    collect_ = std::move(collect);
    try {
        for (std::size_t i = 1; i < members_.size(); ++i) {
            member& m = *members_[i];
            m.thread = start_thread("rondo-shard-" + std::to_string(i), [this, &m] {
                run_thread(m);
                const std::lock_guard<std::mutex> hold(mutex_);
                if (--living_ == 0 && watcher_) watcher_->post([] { running_loop().stop(); });
            });
            const std::lock_guard<std::mutex> hold(mutex_);
            ++living_;
        }
        run_thread(*members_[0]);
        watch_over_others();
    } catch (...) { // there is no thread for one of them
        failed(*members_[0], std::current_exception());
    }
    for (const auto& m : members_) {
        if (m->thread.joinable()) m->thread.join();
        m->loop->close();
    }
    throw_errors();
}

/// Shard 0 has ended: from here on this thread is there for SIGINT.
void shard_group::watch_over_others() {
    if (!handle_sigint_) return;
    event_loop watching;
    os& system = loop_access::backend(watching).os();
    if (!system.in_main_thread() || !system.has_default_action(SIGINT)) return;
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        if (living_ == 0) return;
        watcher_ = loop_access::door(watching);
    }
    watching.add_signal_handler(SIGINT, [this, times = 0]() mutable { interrupted(*members_[0], ++times); });
    watching.run_forever();
    watching.close();
}

void shard_group::run_thread(member& m) noexcept {
    try {
        std::optional<processor_pin> pin;
        if (!processors_.empty()) pin.emplace(processors_[m.self.index() % processors_.size()]);
        run_member(m);
    } catch (...) {
        failed(m, std::current_exception());
    }
    m.loop->close();
    m.main = {};
}

void shard_group::run_member(member& m) {
    m.main = start_(m.self);
    const bool first = m.self.index() == 0;
    run_main(*m.loop, m.main, handle_sigint_ && first, [&](int times) { interrupted(m, times); });
    collect_(m.self, m.main);
    m.has_value = true;
}

void shard_group::failed(member& m, std::exception_ptr error) {
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        if (stopping_ && is_cancellation(error)) return; // that is what it was asked for
        errors_.push_back(std::move(error));
        if (std::exchange(stopping_, true)) return;
    }
    cancel_others(m, "shard " + std::to_string(m.self.index()) + " failed");
}

/// In shard 0's thread.
void shard_group::interrupted(member& first, int times) {
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        stopping_ = true;
        interrupted_ = true;
    }
    if (times == 1) {
        cancel_others(first, "");
        return;
    }
    for (const auto& m : members_) {
        if (m.get() != &first) m->self.post([] { throw keyboard_interrupt("interrupted"); });
    }
}

void shard_group::cancel_others(const member& but, const std::string& why) {
    for (const auto& m : members_) {
        if (m.get() == &but) continue;
        m->self.post([other = m.get(), why] {
            if (other->main) other->main.cancel(why);
        });
    }
}

void shard_group::throw_errors() {
    for (const std::exception_ptr& e : errors_) {
        if (is_exit_request(e)) std::rethrow_exception(e);
    }
    std::vector<std::exception_ptr> real;
    for (const std::exception_ptr& e : errors_) {
        if (!is_cancellation(e)) real.push_back(e);
    }
    if (real.empty() && !errors_.empty()) std::rethrow_exception(errors_.front());
    if (real.size() == 1) std::rethrow_exception(real.front());
    if (!real.empty()) throw exception_group("several shards failed", std::move(real));
    if (!interrupted_) return;
    for (const auto& m : members_) {
        if (!m->has_value) throw keyboard_interrupt("interrupted");
    }
}

} // namespace detail

std::size_t shard::count() const noexcept { return group_.size(); }

shard& shard::peer(std::size_t index) const {
    if (index >= count())
        throw lookup_error("there is no shard " + std::to_string(index) + " among " + std::to_string(count()));
    return group_[index];
}

shard& this_shard() {
    if (event_loop* loop = running_loop_or_null()) {
        if (shard* self = detail::service<detail::shard_service>(*loop).self) return *self;
    }
    throw runtime_error("no shard of run_sharded() runs in this thread");
}

} // namespace rondo
