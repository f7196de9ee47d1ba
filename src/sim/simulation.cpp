#include "sim/simulation.hpp"
#include "loop/simulated_thread.hpp"
#include "sim/labels.hpp"

#include <rondo/loop/detail/loop_state.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <utility>

namespace rondo::sim::detail {

constinit thread_local simulation* current_simulation = nullptr;

namespace {

using namespace std::chrono_literals;

// Not zero, so that a time before the beginning is one; the calendar begins with the year 2026.
constexpr time_point beginning{1'000'000s};
constexpr std::chrono::seconds calendar{1'767'225'600};

constexpr std::array<duration, 3> lateness{0ns, 1ms, 200ms}; // of a timer; or it comes early
constexpr std::array<duration, 4> work_times{0ns, 1ms, 100ms, 10s};

} // namespace

void simulation::clear() noexcept {
    later.clear();
    network.clear();
    hosts.clear();
    names.clear();
    files.clear();
    processes.clear();
    signals.clear();
    idle_.clear();
    jumping_ = {};
}

void simulation::begin(const plan& p, const fault_classes& f) {
    choices.begin(p);
    clear();
    missing_.clear();
    died_.clear();
    takes_files_.reset();
    fault_steps_.clear();
    has_failed_ = false;
    held_at_ = time_point::max();
    faults = f;
    now = drift_since_ = beginning;
    wall_offset_ = duration::zero();
    drift_ = 0;
    seed = p.seed;
    random = random_stream(p.seed ^ 0x5eed);
    woken_ = false;
    stuck_ = false;
}

std::uint32_t simulation::fault(bool wanted, std::uint32_t n, label what) {
    if (!wanted) return 0;
    fault_steps_.push_back(choices.made().size());
    const std::uint32_t which = choices.choose(n, what);
    has_failed_ = has_failed_ || which != 0;
    return which;
}

void simulation::watch_memory(bool on) noexcept {
    watches_memory_ = on;
    watch_blocks(on);
}

duration simulation::choose_delay(std::span<const duration> from, label what) {
    if (!faults.latency) return from.front();
    return from[choices.choose(static_cast<std::uint32_t>(from.size()), what)];
}

std::chrono::system_clock::time_point simulation::wall() const noexcept {
    const auto drifted = static_cast<std::int64_t>(static_cast<double>((now - drift_since_).count()) * drift_);
    const duration since = now - beginning + wall_offset_ + duration(drifted);
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(calendar + since));
}

void simulation::set_wall_drift(double ppm) noexcept {
    wall_offset_ += duration(static_cast<std::int64_t>(static_cast<double>((now - drift_since_).count()) * drift_));
    drift_since_ = now;
    drift_ = ppm * 1e-6;
}

void simulation::happen() {
    while (later.next() <= now) later.take()();
}

bool simulation::tell_idle() {
    if (idle_.empty()) return false;
    for (future<>& f : std::exchange(idle_, {})) f.try_set_result();
    return true;
}

bool simulation::hold_time() noexcept {
    if (held_at_ != time_point::max()) return false;
    held_at_ = now;
    return true;
}

bool simulation::pass_time(duration by, future<> there) {
    if (jumping_) return false;
    held_at_ += by;
    jumping_ = std::move(there);
    return true;
}

bool simulation::tell_jump() {
    if (!jumping_) return false;
    std::exchange(jumping_, {}).try_set_result();
    return true;
}

void simulation::wait(time_point until) {
    const allocating_for_the_world own;
    happen();
    bool late = false;
    bool asked = false;
    while (now < until && !woken_.load(std::memory_order_relaxed) && !network.has_completions()) {
        if (tell_idle()) return;
        const time_point next = std::min(until, later.next());
        if (next > held_at_) {
            now = held_at_;
            if (tell_jump()) return;
        }
        if (next == time_point::max() || next > held_at_) {
            stuck_ = true;
            return;
        }
        std::uint32_t early = 0; // EINTR, for a signal that is nobody's: at once, or half-way
        duration by{};
        if (next == until && !late) { // the loop is woken by a timer, and so may be late
            late = true;
            const std::uint32_t which = choose_if(faults.latency, lateness.size() + 2, labels::how_late);
            if (which < lateness.size()) by = lateness[which];
            else early = which - lateness.size() + 1;
        } else if (!std::exchange(asked, true)) {
            early = choose_if(faults.latency, 3, labels::wakes_early);
        }
        if (early) {
            if (early == 2) now += (next - now) / 2;
            break;
        }
        now = next + std::min(by, time_point::max() - next);
        happen();
    }
    woken_.store(false, std::memory_order_relaxed);
    choices.trace(static_cast<std::uint64_t>(now.time_since_epoch().count()));
    network.complete();
}

bool simulation::submit(operation& op) {
    if (detail::processes::has(op.fd)) return processes.submit(op);
    return files.takes(op) ? files.submit(op) : network.submit(op);
}

void simulation::cancel(operation& op) {
    if (!files.cancel(op) && !processes.cancel(op)) network.cancel(op);
}

void simulation::drain() {
    files.cancel_all();
    processes.cancel_all();
    network.cancel_all();
}

bool simulation::takes_files() {
    const allocating_for_the_world own;
    if (!takes_files_)
        takes_files_ = file_way == file_access::operations ||
                       (file_way == file_access::either && !choose_if(faults.latency, 2, labels::which_way_to_files));
    return *takes_files_;
}

int simulation::close(int fd) {
    if (files.has(fd)) return files.close(fd);
    return detail::processes::has(fd) ? processes.close(fd) : network.close(fd);
}

std::size_t simulation::open_count() const noexcept {
    return network.open_count() + files.open_count() + processes.open_count();
}

std::vector<std::string> simulation::describe_open() const {
    std::vector<std::string> all = network.describe_open();
    files.describe_open(all);
    processes.describe_open(all);
    return all;
}

int simulation::missing(std::string_view what) {
    const allocating_for_the_world own;
    if (std::ranges::find(missing_, what) == missing_.end()) missing_.emplace_back(what);
    return -ENOSYS;
}

/// Work is done in the loop's thread, but outside of the loop, while that waits.
class simulation::pool final : public executor, public std::enable_shared_from_this<pool> {
public:
    explicit pool(simulation& s) noexcept : world_(s) {}
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    ~pool() override {
        while (!work_.empty()) run(work_.begin());
    }
    void submit(std::function<void()> work) override {
        const allocating_for_the_world own;
        const residence by = world_.hosts.here();
        const std::uint64_t number = given_++;
        work_.push_back({number, std::move(work), by});
        const duration takes = world_.choose_delay(work_times, labels::how_long_a_thread_works);
        if (done_at_.size() <= by.host->number) done_at_.resize(by.host->number + 1);
        time_point& done = done_at_[by.host->number];
        done = std::max(done, world_.now + takes); // each host has one thread: in the order of submit()
        world_.later.enter(done, [weak = weak_from_this(), number] {
            const auto self = weak.lock();
            if (!self) return;
            const auto next = std::ranges::find(self->work_, number, &given::number);
            if (next != self->work_.end()) self->run(next);
        });
    }

private:
    struct given {
        std::uint64_t number;
        std::function<void()> work;
        residence by;
    };
    void run(std::list<given>::iterator which) {
        const given next = std::move(*which);
        work_.erase(which);
        const host_registry::working_for whom(world_.hosts, next.by);
        event_loop* const outside = std::exchange(rondo::detail::current_loop, nullptr);
        {
            const allocating_for run(world_.watches());
            const bool outer = std::exchange(rondo::detail::in_simulated_thread, true);
            next.work();
            rondo::detail::in_simulated_thread = outer;
        }
        rondo::detail::current_loop = outside;
        world_.wake();
    }

    simulation& world_;
    std::list<given> work_;
    std::vector<time_point> done_at_; // by host
    std::uint64_t given_ = 0;
};

std::shared_ptr<executor> simulation::make_executor() {
    const allocating_for_the_world own;
    return std::make_shared<pool>(*this);
}

} // namespace rondo::sim::detail
