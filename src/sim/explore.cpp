#include <rondo/coro/exceptions.hpp>
#include <rondo/sim/run.hpp>

#include "sim/labels.hpp"
#include "sim/memory.hpp"
#include "sim/shrink.hpp"
#include "sim/single_run.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

namespace rondo::sim {

namespace detail {

namespace {

constexpr std::size_t most_shrinking_runs = 2000;
constexpr std::uint32_t most_alternatives = 8; // of one choice, in an exhaustive search

std::vector<forced_choice> forced_from(const std::vector<deviation>& deviations) {
    std::vector<forced_choice> all;
    all.reserve(deviations.size());
    for (const deviation& d : deviations) all.push_back({d.step, d.choice});
    return all;
}

template <class N> N number_at(std::string_view& text, char end, bool last_allowed) {
    N value{};
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    const bool ends = text.empty() ? last_allowed : text.front() == end;
    if (error != std::errc() || !ends) throw value_error("a tape reads SEED@STEP=CHOICE,STEP=CHOICE...");
    if (!text.empty()) text.remove_prefix(1);
    return value;
}

plan parsed(std::string_view text) {
    plan p;
    p.seed = number_at<std::uint64_t>(text, '@', false);
    while (!text.empty()) {
        const auto step = number_at<std::size_t>(text, '=', false);
        p.forced.push_back({step, number_at<std::uint32_t>(text, ',', true)});
    }
    return p;
}

/// The world is the same object in all runs: its memory serves again.
class explorer {
public:
    explorer(const options& how, const body_factory& body) : how_(how), body_(body) {}

    exploration all() {
        if (const char* tape = std::getenv("RONDO_SIM_REPLAY")) {
            note(run(parsed(tape)));
            return std::move(result_);
        }
        if (how_.strategy.which() == strategy::kind::exhaustive) exhaust();
        else sample();
        return std::move(result_);
    }

    exploration sweep_cancel() {
        how_.cancel_main = true;
        return sweep(fault_classes::none());
    }

    /// Each fault that the plain run could have, one run each; and with cancel_main, each cancellation.
    exploration sweep(const fault_classes& with) {
        how_.faults = with;
        verdict_ = judging::swept;
        if (const char* tape = std::getenv("RONDO_SIM_REPLAY")) {
            note(run(parsed(tape)));
            return std::move(result_);
        }
        // What is allocated once in a process is allocated in this run, so that the others have the same steps.
        if (with.memory) run({.seed = how_.seed});
        if (note(run({.seed = how_.seed}))) return std::move(result_);
        const std::vector<choice> plain = world_.choices.made();
        std::vector<std::size_t> steps = world_.fault_steps();
        for (std::size_t step = 0; step < plain.size(); ++step) {
            if (plain[step].what == labels::main_is_cancelled) steps.push_back(step);
        }
        for (const std::size_t step : steps) {
            for (std::uint32_t taken = 1; taken < plain[step].of; ++taken) {
                if (note(run({.seed = how_.seed, .forced = {{step, taken}}}))) return std::move(result_);
            }
        }
        return std::move(result_);
    }

    outcome run(const plan& p) { return run_once(world_, p, how_, body_, verdict_); }

private:
    /// True: it failed, and the search is over.
    bool note(outcome made) {
        ++result_.schedules;
        result_.choices += made.choices;
        result_.trace = mixed(result_.trace ^ made.trace);
        if (how_.coverage) count_labels();
        if (made.failure) result_.counter_example = std::move(made.failure);
        return result_.counter_example.has_value();
    }

    void count_labels() {
        for (const choice& c : world_.choices.made()) {
            const auto [at, is_new] = label_places_.try_emplace(c.what.hash(), result_.labels.size());
            if (is_new) result_.labels.push_back({.what = c.what});
            label_count& count = result_.labels[at->second];
            ++count.met;
            if (c.taken != 0) ++count.deviated;
        }
    }

    plan nth(std::size_t i) const {
        plan p{.seed = how_.seed + i, .how = how_.strategy, .horizon = horizon_};
        if (how_.strategy.which() != strategy::kind::portfolio) return p;
        if (i == 0) p.how = strategy::fifo();
        else if (i % 3 == 0) p.how = strategy::pct(1 + static_cast<unsigned>(i / 3 % 3));
        else p.how = strategy::random();
        return p;
    }

    void sample() {
        for (std::size_t i = 0; i < how_.schedules; ++i) {
            outcome made = run(nth(i));
            if (i == 0) horizon_ = std::max<std::size_t>(made.choices, 1);
            if (!made.failure && i < how_.replayed) made.failure = difference(made);
            if (!note(std::move(made))) continue;
            make_smaller();
            return;
        }
    }

    /// The run once more, from its tape.
    std::optional<failure> difference(const outcome& first) {
        const std::vector<deviation> deviations = world_.choices.deviations();
        const plan the_same{.seed = first.seed, .forced = forced_from(deviations)};
        const outcome second = run(the_same);
        if (second.trace == first.trace && second.choices == first.choices) {
            if (!keeps_memory(the_same)) return std::nullopt;
            return failure{.kind = failure_kind::leak,
                           .message = "memory is not given back: each time that this run is made more is in use",
                           .seed = first.seed,
                           .choices = first.choices,
                           .deviations = deviations};
        }
        return failure{.kind = failure_kind::nondeterminism,
                       .message = "something that the body does depends on more than the world: an address, a clock, a "
                                  "thread, a variable that outlives the run",
                       .seed = first.seed,
                       .choices = first.choices,
                       .deviations = deviations};
    }

    /// What is made once and kept is no leak: it is when it happens again and again.
    bool keeps_memory(const plan& p) {
        constexpr int times = 4;
        if (!sees_allocations_) return false;
        world_.clear();
        for (int i = 0; i < times; ++i) {
            const memory_balance before = balance_now();
            run(p);
            world_.clear();
            if (balance_now() == before) return false;
        }
        return true;
    }

    /// Breadth first, so that the first that fails has the fewest deviations.
    void exhaust() {
        std::deque<std::vector<forced_choice>> waiting{{}};
        while (!waiting.empty() && result_.schedules < how_.schedules) {
            const std::vector<forced_choice> forced = std::move(waiting.front());
            waiting.pop_front();
            if (note(run({.seed = how_.seed, .forced = forced}))) {
                make_smaller();
                return;
            }
            if (forced.size() == how_.strategy.depth()) continue;
            const std::vector<choice>& made = world_.choices.made();
            for (std::size_t step = forced.empty() ? 0 : forced.back().step + 1; step < made.size(); ++step) {
                if (waiting.size() + result_.schedules > how_.schedules) break; // they would not be run
                add_alternatives(waiting, forced, step, made[step].of);
            }
        }
    }
    static void add_alternatives(std::deque<std::vector<forced_choice>>& to, const std::vector<forced_choice>& from,
                                 std::size_t step, std::uint32_t n) {
        const auto add = [&](std::uint32_t taken) {
            to.push_back(from);
            to.back().push_back({step, taken});
        };
        for (std::uint32_t taken = 1; taken < std::min(n, most_alternatives); ++taken) add(taken);
        if (n > most_alternatives) add(n - 1);
    }

    void make_smaller() {
        failure& found = *result_.counter_example;
        if (found.kind == failure_kind::nondeterminism) return;
        const std::uint64_t seed = found.seed;
        const failure_kind kind = found.kind;
        const auto try_it = [&](const std::vector<forced_choice>& forced) -> std::optional<std::vector<forced_choice>> {
            outcome made = run({.seed = seed, .forced = forced});
            if (!made.failure || made.failure->kind != kind) return std::nullopt;
            return forced_from(made.failure->deviations);
        };
        const std::vector<forced_choice> least = shrink(forced_from(found.deviations), try_it, most_shrinking_runs);
        outcome smallest = run({.seed = seed, .forced = least});
        if (smallest.failure) found = *std::move(smallest.failure);
    }

    options how_;
    const body_factory& body_;
    simulation world_;
    exploration result_;
    std::unordered_map<std::uint64_t, std::size_t> label_places_; // by hash
    std::size_t horizon_ = 100;
    judging verdict_ = judging::strict;
    bool sees_allocations_ = allocations_are_seen();
};

} // namespace

} // namespace detail

outcome run(const options& how, const body_factory& body) {
    detail::explorer one(how, body);
    return one.run({.seed = how.seed, .how = how.strategy});
}
outcome run_bytes(const options& how, std::span<const std::uint8_t> choices, const body_factory& body) {
    detail::explorer one(how, body);
    return one.run({.seed = how.seed, .bytes = choices});
}
outcome replay(const options& how, std::string_view tape, const body_factory& body) {
    detail::explorer one(how, body);
    return one.run(detail::parsed(tape));
}
exploration explore(const options& how, const body_factory& body) { return detail::explorer(how, body).all(); }
exploration sweep_cancel(options how, const body_factory& body) { return detail::explorer(how, body).sweep_cancel(); }
exploration sweep_alloc(options how, const body_factory& body) {
    if (!detail::allocations_are_seen())
        throw runtime_error("this program has an operator new of its own, so no allocation can be made to fail");
    fault_classes with = fault_classes::none();
    with.memory = true;
    return detail::explorer(how, body).sweep(with);
}
exploration sweep_errno(options how, const body_factory& body) {
    fault_classes with = fault_classes::none();
    with.names = with.network = with.resources = with.storage = true;
    return detail::explorer(how, body).sweep(with);
}
bool can_sweep_alloc() noexcept { return detail::allocations_are_seen(); }

} // namespace rondo::sim
