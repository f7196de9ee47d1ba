// result<T>: a value, an exception, or a cancellation.
//
// Combinators and as_result() hand outcomes about in this form, because throwing costs about a microsecond for each frame.
#pragma once

#include <rondo/coro/detail/exception_cast.hpp>

#include <cassert>
#include <concepts>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace rondo {

namespace detail {
struct no_outcome {};
template <class T> class coro_promise;
} // namespace detail

/// A value, or the error that came in its place. Moved-from it keeps its kind. No operation allocates.
/// The void form has no value; result<T&> is not offered: return a pointer or a std::reference_wrapper.
template <class T = void> class [[nodiscard]] result {
    static_assert(!std::is_reference_v<T>, "a result holds values: use a pointer or std::reference_wrapper");

public:
    result(const T& value)
        requires std::copy_constructible<T>
        : has_value_(true), value_(value) {}
    result(T&& value) noexcept(std::is_nothrow_move_constructible_v<T>) : has_value_(true), value_(std::move(value)) {}
    explicit result(std::exception_ptr error) noexcept : has_value_(false), error_(std::move(error)) {}
    /// No outcome yet: neither a value nor an error. For storage that is filled later.
    explicit result(detail::no_outcome) noexcept : has_value_(false), error_() {}

    result(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) : has_value_(false), error_() {
        take_from(std::move(other));
    }
    result(const result& other)
        requires std::copy_constructible<T>
        : has_value_(false), error_() {
        take_from(other);
    }
    result& operator=(result&& other) noexcept(std::is_nothrow_move_constructible_v<T>) {
        if (this != &other) {
            reset();
            take_from(std::move(other));
        }
        return *this;
    }
    result& operator=(const result& other)
        requires std::copy_constructible<T>
    {
        if (this != &other) *this = result(other);
        return *this;
    }
    ~result() { destroy(); }

    bool has_value() const noexcept { return has_value_; }
    explicit operator bool() const noexcept { return has_value_; }
    /// The error is a cancelled_error.
    bool cancelled() const noexcept { return !has_value_ && detail::is_cancellation(error_); }
    /// Null when there is a value.
    std::exception_ptr error() const noexcept { return has_value_ ? nullptr : error_; }
    /// `catch (const E&)` would take the error. Throws nothing.
    template <class E> bool holds() const noexcept {
        return !has_value_ && detail::exception_cast<E>(error_) != nullptr;
    }

    /// The value; otherwise rethrows the error.
    T& value() & {
        rethrow_error();
        return value_;
    }
    const T& value() const& {
        rethrow_error();
        return value_;
    }
    T&& value() && {
        if (!has_value_) std::rethrow_exception(std::move(error_));
        return std::move(value_);
    }
    T& operator*() & noexcept {
        assert(has_value_);
        return value_;
    }
    const T& operator*() const& noexcept {
        assert(has_value_);
        return value_;
    }
    T&& operator*() && noexcept {
        assert(has_value_);
        return std::move(value_);
    }
    T* operator->() noexcept {
        assert(has_value_);
        return std::addressof(value_);
    }
    const T* operator->() const noexcept {
        assert(has_value_);
        return std::addressof(value_);
    }
    template <class U> T value_or(U&& fallback) const& {
        return has_value_ ? value_ : static_cast<T>(std::forward<U>(fallback));
    }
    template <class U> T value_or(U&& fallback) && {
        return has_value_ ? std::move(value_) : static_cast<T>(std::forward<U>(fallback));
    }

    /// Replaces what was held. A constructor of T that throws leaves that exception as the error.
    template <class... A> void emplace(A&&... args) noexcept {
        reset();
        try {
            std::destroy_at(std::addressof(error_));
            std::construct_at(std::addressof(value_), std::forward<A>(args)...);
            has_value_ = true;
        } catch (...) {
            std::construct_at(std::addressof(error_), std::current_exception());
        }
    }
    void set_error(std::exception_ptr error) noexcept {
        reset();
        error_ = std::move(error);
    }
    /// The error moved out, null when there is a value.
    std::exception_ptr take_error() noexcept { return has_value_ ? nullptr : std::move(error_); }

private:
    template <class> friend class detail::coro_promise;
    /// emplace() where nothing was held yet.
    template <class... A> void emplace_first(A&&... args) noexcept {
        assert(!has_value_ && !error_);
        try {
            std::construct_at(std::addressof(value_), std::forward<A>(args)...);
            has_value_ = true;
        } catch (...) {
            std::construct_at(std::addressof(error_), std::current_exception());
        }
    }
    void rethrow_error() const {
        if (!has_value_) std::rethrow_exception(error_);
    }
    void destroy() noexcept {
        if (has_value_) std::destroy_at(std::addressof(value_));
        else std::destroy_at(std::addressof(error_));
    }
    void reset() noexcept {
        if (!has_value_) return;
        std::destroy_at(std::addressof(value_));
        std::construct_at(std::addressof(error_));
        has_value_ = false;
    }
    template <class R> void take_from(R&& other) noexcept(noexcept(T(std::forward<R>(other).value_))) {
        if (other.has_value_) {
            std::destroy_at(std::addressof(error_));
            if constexpr (noexcept(T(std::forward<R>(other).value_))) {
                std::construct_at(std::addressof(value_), std::forward<R>(other).value_);
            } else {
                try {
                    std::construct_at(std::addressof(value_), std::forward<R>(other).value_);
                } catch (...) {
                    std::construct_at(std::addressof(error_));
                    throw;
                }
            }
            has_value_ = true;
        } else {
            error_ = std::forward<R>(other).error_;
        }
    }

    bool has_value_;
    union {
        T value_;
        std::exception_ptr error_;
    };
};

template <> class [[nodiscard]] result<void> {
public:
    result() noexcept = default;
    explicit result(std::exception_ptr error) noexcept : error_(std::move(error)) {}
    explicit result(detail::no_outcome) noexcept {}

    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return !error_; }
    bool cancelled() const noexcept { return detail::is_cancellation(error_); }
    std::exception_ptr error() const noexcept { return error_; }
    template <class E> bool holds() const noexcept { return detail::exception_cast<E>(error_) != nullptr; }
    void value() const& {
        if (error_) std::rethrow_exception(error_);
    }
    void value() && {
        if (error_) std::rethrow_exception(std::move(error_));
    }

    void emplace() noexcept { error_ = nullptr; }
    void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }
    std::exception_ptr take_error() noexcept { return std::move(error_); }

private:
    std::exception_ptr error_;
};

} // namespace rondo
