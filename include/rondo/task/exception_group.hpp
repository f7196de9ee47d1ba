// Several exceptions at once (PEP 654).
#pragma once

#include <rondo/coro/detail/exception_cast.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rondo {

/// The errors of several tasks, with their nesting. A group of one is a group. ExceptionGroup and BaseExceptionGroup are one
/// class here: has_base() tells whether something in it must not be swallowed. Copies share their contents.
class exception_group : public std::exception {
public:
    using predicate = std::function<bool(const std::exception_ptr&)>;

    /// value_error when there are no errors.
    exception_group(std::string message, std::vector<std::exception_ptr> errors);

    const std::string& message() const noexcept;
    const std::vector<std::exception_ptr>& exceptions() const noexcept;
    std::size_t size() const noexcept { return exceptions().size(); }
    /// A cancellation, an interrupt or an exit request is in it, at any depth.
    bool has_base() const noexcept;
    /// At any depth. Throws nothing on the way.
    template <class E> bool contains() const {
        return contains([](const std::exception_ptr& e) { return detail::exception_cast<E>(e) != nullptr; });
    }
    bool contains(const predicate& pred) const;
    /// The part whose members are an E, with the nesting kept; nullopt when there is none.
    template <class E> std::optional<exception_group> subgroup() const { return split<E>().first; }
    std::optional<exception_group> subgroup(const predicate& pred) const { return split(pred).first; }
    /// That part, and the rest.
    template <class E> std::pair<std::optional<exception_group>, std::optional<exception_group>> split() const {
        return split([](const std::exception_ptr& e) { return detail::exception_cast<E>(e) != nullptr; });
    }
    std::pair<std::optional<exception_group>, std::optional<exception_group>> split(const predicate& pred) const;

    /// Several lines: the message, then each member, indented.
    std::string tree() const;
    const char* what() const noexcept override;

private:
    struct contents;
    std::shared_ptr<const contents> contents_;
};

/// except* of Python: each handler gets the part of the group that it can handle. A naked exception is treated as a group of
/// one. What a handler throws is collected and thrown by rethrow_rest() together with what nobody took.
///
///     rondo::except_star(error)
///         .on<rondo::timeout_error>([](const rondo::exception_group& late) { ... })
///         .rethrow_rest();
class [[nodiscard]] except_star {
public:
    explicit except_star(std::exception_ptr error);
    explicit except_star(const exception_group& group);
    except_star(except_star&& other) noexcept;
    except_star& operator=(except_star&&) = delete;
    /// Asserts that rethrow_rest() was said: what nobody handled would be lost.
    ~except_star();

    template <class E, std::invocable<const exception_group&> F> except_star&& on(F&& handler) && {
        return std::move(*this).handle(
            [](const std::exception_ptr& e) { return detail::exception_cast<E>(e) != nullptr; },
            [&](const exception_group& part) { handler(part); });
    }
    /// Throws what is left and what the handlers threw, as one group; a naked exception that nobody took as it was. Returns
    /// when there is nothing.
    void rethrow_rest() &&;

private:
    except_star&& handle(const exception_group::predicate& pred,
                         const std::function<void(const exception_group&)>& handler) &&;

    std::optional<exception_group> rest_;
    std::exception_ptr naked_;
    std::vector<std::exception_ptr> thrown_;
    bool finished_ = false;
};

} // namespace rondo
