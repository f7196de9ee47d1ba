// What gather does, whatever its children yield.
#pragma once

#include <rondo/coro/result.hpp>
#include <rondo/task/detail/future_state.hpp>
#include <rondo/task/detail/task_record.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rondo::detail {

/// The value of a child that has one: moved out when nobody else holds the child, or when it cannot be copied.
template <class T> non_void_t<T> child_value(future_state& f) {
    if (f.value_taken) throw invalid_state_error("the value of " + f.label() + " was taken before");
    auto& stored = f.is_task() ? static_cast<task_of<T>&>(f).value() : static_cast<future_of<T>&>(f).value();
    if constexpr (std::copy_constructible<non_void_t<T>>) {
        if (f.references() > 1) return stored;
    } else {
        f.value_taken = true;
    }
    return std::move(stored);
}
template <class T> result<T> child_result(future_state& f) {
    if (f.error()) return result<T>(f.error());
    if constexpr (std::is_void_v<T>) {
        return result<void>();
    } else {
        try {
            return result<T>(child_value<T>(f));
        } catch (...) {
            return result<T>(std::current_exception());
        }
    }
}

/// Counts children; the derived part knows what to do at the end.
class gather_core {
public:
    gather_core(const gather_core&) = delete;
    gather_core& operator=(const gather_core&) = delete;

protected:
    gather_core(std::vector<counted_ptr<future_state>> children, bool exceptions);
    ~gather_core() = default;

    void unended_children(std::vector<const future_state*>& who) const;
    /// Watches the children. Ends at once when all are done.
    void begin_watching();
    /// Asking the children to cancel, one after the other: the next one, or null.
    void begin_asking(const std::string& message);
    future_state* next_to_ask() noexcept;
    void answered(bool accepted) noexcept { accepted_ = accepted_ || accepted; }
    bool one_accepted() const noexcept { return accepted_; }
    /// True when a child accepted.
    bool end_asking() noexcept;

    virtual future_state& outer() noexcept = 0;
    /// All children are done: takes what they yield.
    virtual void complete() noexcept = 0;

    std::vector<counted_ptr<future_state>> children_;

private:
    struct watch : done_node {
        watch() noexcept : done_node(&ended) {}
        static void ended(done_node& node, future_state& of) noexcept;
        gather_core* owner = nullptr;
    };
    void child_ended(future_state& child) noexcept;

    std::unique_ptr<watch[]> watches_;
    std::size_t left_;
    bool exceptions_;
    bool cancelled_ = false;
    std::string message_;
    // While the children are asked:
    std::size_t asked_ = 0;
    bool accepted_ = false;
    bool cancelled_before_ = false;
};

template <class T, class Shape> class gathering final : public future_of<T>, private gather_core {
public:
    gathering(event_loop& loop, std::vector<counted_ptr<future_state>> children, bool exceptions)
        : future_of<T>(loop, std::source_location()), gather_core(std::move(children), exceptions) {}
    void begin() { begin_watching(); }
    std::string label() const override { return "gather " + std::to_string(this->id()); }
    void depends_on(std::vector<const future_state*>& who) const override { unended_children(who); }

private:
    using step = future_state::cancel_step;
    ~gathering() = default;
    void destroy() noexcept override { delete this; }
    step begin_cancel(const std::string& message) override {
        if (this->done()) return {};
        begin_asking(message);
        return {.ask = next_to_ask()};
    }
    bool cancel_again(const std::string&) override { return one_accepted(); }
    step continue_cancel(const std::string&, bool accepted) override {
        answered(accepted);
        if (future_state* next = next_to_ask()) return {.ask = next};
        return {.accepted = end_asking()};
    }
    future_state& outer() noexcept override { return *this; }
    void complete() noexcept override {
        try {
            this->set_value(Shape::collect(children_));
        } catch (...) {
            this->settle_failed(std::current_exception());
        }
    }
};

} // namespace rondo::detail
