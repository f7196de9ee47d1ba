#include <rondo/task/detail/done_callback.hpp>

namespace rondo::detail {

void done_callback::done(done_node& node, future_state& of) noexcept {
    auto& self = static_cast<done_callback&>(node);
    if (!of.done()) { // the future died before it was done
        discard(self);
        return;
    }
    self.future_ = counted_ptr<future_state>(&of);
    loop_access::state(of.loop()).ready.push(self);
}

std::uint64_t done_callback::new_id() noexcept {
    constinit static thread_local std::uint64_t last = 0;
    return ++last;
}

bool remove_done_callback(future_state& from, std::uint64_t id) {
    for (done_node* node = from.first_waiter(); node; node = node->next) {
        if (!done_callback::is_one(*node)) continue;
        auto& found = static_cast<done_callback&>(*node);
        if (found.id() != id) continue;
        from.remove_done_node(found);
        callback::discard(found);
        return true;
    }
    return false;
}

} // namespace rondo::detail
