#include <rondo/loop/context.hpp>

#include <algorithm>
#include <atomic>
#include <vector>

namespace rondo {

namespace detail {

/// Sorted by variable; programs have few.
struct context_map : std::vector<std::pair<std::uint64_t, context_value>> {};

constinit thread_local context_ref* current_context_slot = nullptr;

namespace {

thread_local context_ref thread_context;

context_ref& slot() noexcept { return current_context_slot ? *current_context_slot : thread_context; }

auto place_of(const context_map& values, std::uint64_t variable) {
    return std::lower_bound(values.begin(), values.end(), variable,
                            [](const auto& entry, std::uint64_t id) { return entry.first < id; });
}

} // namespace

void destroy(context_state& c) noexcept { delete &c; }

context_state* current_context() noexcept { return slot().get(); }
context_ref share_current_context() noexcept { return slot(); }

context_ref fork_context_slowly() {
    const context_state* now = current_context();
    if (!now || !now->values) return {};
    context_ref copy = context_ref::adopt(new context_state);
    copy.get()->values = now->values;
    return copy;
}

std::uint64_t new_variable_id() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

context_value find_in(const context_state* state, std::uint64_t variable) noexcept {
    if (!state || !state->values) return nullptr;
    auto at = place_of(*state->values, variable);
    return at != state->values->end() && at->first == variable ? at->second : nullptr;
}

context_value find_in_current(std::uint64_t variable) noexcept { return find_in(current_context(), variable); }

context_value assign_in_current(std::uint64_t variable, context_value value) {
    context_ref& here = slot();
    if (!here) here = context_ref::adopt(new context_state);
    auto changed =
        here.get()->values ? std::make_shared<context_map>(*here.get()->values) : std::make_shared<context_map>();
    auto at = changed->begin() + (place_of(*changed, variable) - changed->cbegin());
    context_value before;
    const bool present = at != changed->end() && at->first == variable;
    if (present) before = at->second;
    if (present && value) at->second = std::move(value);
    else if (present) changed->erase(at);
    else if (value) changed->insert(at, {variable, std::move(value)});
    here.get()->values = changed->empty() ? nullptr : std::move(changed);
    return before;
}

} // namespace detail

context::context() : state_(detail::context_ref::adopt(new detail::context_state)) {}
context::context(detail::context_ref state) : state_(std::move(state)) {
    if (!state_) state_ = detail::context_ref::adopt(new detail::context_state);
}

context::running::running(const detail::context_ref& state) : slot_(state), switch_(slot_) {
    if (state.get()->entered) throw runtime_error("this context is entered already");
    state.get()->entered = true;
}
context::running::~running() { slot_.get()->entered = false; }

context copy_context() { return context(detail::fork_context()); }

} // namespace rondo
