// Context variables (PEP 567): values that follow a task through its awaits, and that its children start with.
#pragma once

#include <rondo/coro/exceptions.hpp>
#include <rondo/loop/detail/context_state.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {

using context_value = std::shared_ptr<const void>;
std::uint64_t new_variable_id() noexcept;
context_value find_in_current(std::uint64_t variable) noexcept;
context_value find_in(const context_state* state, std::uint64_t variable) noexcept;
/// Sets (null: removes) in the current context, which is made when there is none. Returns what was there before.
context_value assign_in_current(std::uint64_t variable, context_value value);

} // namespace detail

/// A set of variables and their values: a shared handle, compared by identity. Belongs to one thread at a time.
class context {
public:
    /// Empty.
    context();
    explicit context(detail::context_ref state);

    /// Calls fn with this context as the current one: what it sets stays in this context. Re-entered: runtime_error.
    template <class F, class... Args> std::invoke_result_t<F, Args...> run(F&& fn, Args&&... args) {
        running inside(state_);
        return std::forward<F>(fn)(std::forward<Args>(args)...);
    }

    const detail::context_ref& state() const noexcept { return state_; }
    friend bool operator==(const context& a, const context& b) noexcept { return a.state_.get() == b.state_.get(); }

private:
    class running {
    public:
        explicit running(const detail::context_ref& state);
        running(const running&) = delete;
        running& operator=(const running&) = delete;
        ~running();

    private:
        detail::context_ref slot_;
        detail::context_switch switch_;
    };
    detail::context_ref state_;
};

/// A new context with the values of the current one. O(1).
context copy_context();

/// How a callback is scheduled.
struct call_options {
    std::optional<rondo::context> context = std::nullopt;         // not set: a copy of the current one
    std::source_location where = std::source_location::current(); // filled in at the caller's line
};

/// Brings the value from before set() back when it dies: reset() does so earlier, release() never.
template <class T>
class [[nodiscard("the old value comes back when the token dies: say assign() to keep the new one")]] context_token {
public:
    context_token(context_token&& other) noexcept
        : variable_(other.variable_),
          before_(std::move(other.before_)),
          in_(std::move(other.in_)),
          used_(std::exchange(other.used_, true)) {}
    context_token& operator=(context_token&&) = delete;
    ~context_token() {
        if (!used_ && in_.get() == detail::current_context()) detail::assign_in_current(variable_, std::move(before_));
    }
    /// Twice: runtime_error. In another context than the one of set(): value_error.
    void reset() {
        if (used_) throw runtime_error("this context_token was used before");
        if (in_.get() != detail::current_context()) throw value_error("this context_token was made in another context");
        used_ = true;
        detail::assign_in_current(variable_, std::move(before_));
    }
    /// Keeps the value.
    void release() noexcept { used_ = true; }

private:
    template <class> friend class context_var;
    context_token(std::uint64_t variable, detail::context_value before, detail::context_ref in) noexcept
        : variable_(variable), before_(std::move(before)), in_(std::move(in)) {}
    std::uint64_t variable_;
    detail::context_value before_;
    detail::context_ref in_;
    bool used_ = false;
};

/// A variable, usually a global. get() and set() speak of the current context. Reading costs a search of the few variables
/// that are set. Any thread; values are shared between contexts and must not be changed through pointers.
///
///     rondo::context_var<std::string> request_id{"request_id", "-"};
///     auto token = request_id.set("42");        // this task, and the tasks it creates from now on
template <class T> class context_var {
public:
    explicit context_var(std::string_view name) : name_(name), id_(detail::new_variable_id()) {}
    context_var(std::string_view name, T default_value)
        : name_(name), id_(detail::new_variable_id()), default_(std::move(default_value)) {}
    context_var(const context_var&) = delete;
    context_var& operator=(const context_var&) = delete;

    const std::string& name() const noexcept { return name_; }

    /// lookup_error when there is neither a value nor a default.
    T get() const {
        if (auto value = detail::find_in_current(id_)) return *static_cast<const T*>(value.get());
        if (default_) return *default_;
        throw lookup_error("context variable '" + name_ + "' has no value and no default");
    }
    T get(T fallback) const {
        auto value = detail::find_in_current(id_);
        return value ? *static_cast<const T*>(value.get()) : std::move(fallback);
    }
    /// The value it was set to in that context, if it was.
    std::optional<T> get(const context& in) const {
        auto value = detail::find_in(in.state().get(), id_);
        return value ? std::optional<T>(*static_cast<const T*>(value.get())) : std::nullopt;
    }
    context_token<T> set(T value) {
        auto before = detail::assign_in_current(id_, std::make_shared<const T>(std::move(value)));
        return context_token<T>(id_, std::move(before), current());
    }
    /// For the rest of this context.
    void assign(T value) { detail::assign_in_current(id_, std::make_shared<const T>(std::move(value))); }

private:
    static detail::context_ref current() { return detail::share_current_context(); }
    std::string name_;
    std::uint64_t id_;
    std::optional<T> default_;
};

} // namespace rondo
