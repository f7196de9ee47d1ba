#include <rondo/sim/sequencer.hpp>

#include <rondo/coro/exceptions.hpp>
#include <rondo/sync/event.hpp>

#include <map>
#include <string>

namespace rondo::sim {

struct sequencer::state {
    std::map<std::size_t, event> begins; // of the turns that were asked for, or are due
    std::map<std::size_t, bool> taken;
    bool broken = false;

    void end(std::size_t n) { begins[n + 1].set(); }
    void break_all() noexcept {
        broken = true;
        for (auto& [n, begin] : begins) begin.set();
    }
};

sequencer::sequencer() : state_(std::make_shared<state>()) { state_->begins[0].set(); }

coro<sequencer::turn_guard> sequencer::turn(std::size_t n) {
    const std::shared_ptr<state> of = state_;
    if (!of->taken.emplace(n, true).second) throw runtime_error("turn " + std::to_string(n) + " was taken before");
    const auto refuse = [&] {
        if (of->broken) throw runtime_error("turn " + std::to_string(n) + " cannot come: one before it was given up");
    };
    refuse();
    of->begins[n + 1]; // so that its end cannot fail
    struct giving_up {
        state* of;
        ~giving_up() {
            if (of) of->break_all();
        }
    } unless_it_comes{of.get()};
    co_await of->begins[n].wait();
    unless_it_comes.of = nullptr;
    refuse();
    co_return turn_guard(of, n);
}

sequencer::turn_guard::~turn_guard() {
    if (of_) of_->end(n_);
}

} // namespace rondo::sim
