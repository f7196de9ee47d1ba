// The future that shield() gives.
#pragma once

#include <rondo/task/detail/future_state.hpp>
#include <rondo/task/detail/gather_core.hpp>

#include <type_traits>
#include <utility>

namespace rondo::detail {

/// Reports what the inner one failed with after the shield itself was cancelled.
void report_behind_shield(future_state& inner) noexcept;

template <class T> class shielding final : public future_of<T>, private done_node {
public:
    explicit shielding(event_loop& loop) noexcept : future_of<T>(loop, std::source_location()), done_node(&ended) {}
    void watch(counted_ptr<future_state> inner) {
        inner_ = std::move(inner);
        this->retain(); // until the inner one has ended
        inner_->add_done_node(*this);
    }
    void depends_on(std::vector<const future_state*>& who) const override {
        if (inner_) who.push_back(inner_.get());
    }

private:
    ~shielding() = default;
    void destroy() noexcept override { delete this; }
    static void ended(done_node& node, future_state& inner) noexcept {
        auto& self = static_cast<shielding&>(node);
        if (self.done()) {
            report_behind_shield(inner);
        } else if (inner.error()) {
            inner.mark_observed();
            self.settle_error(inner.error());
        } else {
            try {
                if constexpr (std::is_void_v<T>) self.set_value();
                else self.set_value(child_value<T>(inner));
            } catch (...) {
                self.settle_failed(std::current_exception());
            }
        }
        self.inner_ = {};
        self.release();
    }
    counted_ptr<future_state> inner_;
};

} // namespace rondo::detail
