#include <rondo/task/run_sharded.hpp>

#include <rondo/coro/detail/exception_cast.hpp>
#include <rondo/coro/exceptions.hpp>
#include <rondo/task/exception_group.hpp>

#include "loop/backend/backend.hpp"
#include "loop/backend/os.hpp"
#include "loop/backend/os_thread.hpp"
#include "task/run_main.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
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

/// That a shard is to end, on its way there. Made with it: one that fails for want of memory still ends the others.
struct shard_end {
    explicit shard_end(task_base& m) noexcept : main(m) {}
    void arrived() noexcept {
        const std::string message = std::move(why);
        under_way.store(false);
        try {
            if (main) main.cancel(message);
        } catch (...) {
            loop_access::report(running_loop(), {.message = "the main task of a shard could not be cancelled",
                                                 .exception = std::current_exception()});
        }
    }
    task_base& main;
    std::string why; // the sender's while it is not under way
    std::atomic<bool> under_way = false;
    message_of<shard_end> sent{&shard_end::arrived};
};

struct shard_group::end_of_watch {
    explicit end_of_watch(std::shared_ptr<loop_door> d) noexcept : door(std::move(d)) {}
    void arrived() noexcept { running_loop().stop(); }
    const std::shared_ptr<loop_door> door;
    message_of<end_of_watch> sent{&end_of_watch::arrived};
};

struct shard_group::member {
    member(shard_group& group, std::size_t index, std::unique_ptr<event_loop> made)
        : loop(std::move(made)), self(group, index, *loop) {
        service<shard_service>(*loop).self = &self;
    }
    std::unique_ptr<event_loop> loop;
    shard self;
    task_base main; // for the shard's thread
    const std::shared_ptr<shard_end> end = std::make_shared<shard_end>(main);
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
    errors_.reserve(n + 1); // one each, and that there is no thread for one
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
                if (--living_ == 0 && watcher_) watcher_->door->post(watcher_->sent, watcher_);
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
        watcher_ = std::make_shared<end_of_watch>(loop_access::door(watching));
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
    char why[48];
    std::snprintf(why, sizeof why, "shard %zu failed", m.self.index());
    cancel_others(m, why);
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

void shard_group::cancel_others(const member& but, const char* why) noexcept {
    for (const auto& m : members_) {
        if (m.get() == &but || m->end->under_way.exchange(true)) continue;
        try {
            m->end->why = why;
        } catch (...) { // they end without a word
            m->end->why.clear();
        }
        loop_access::door(*m->loop)->post(m->end->sent, m->end);
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
