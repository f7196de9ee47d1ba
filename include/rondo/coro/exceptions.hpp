// The exceptions that the language level of the library throws, named as in Python.
//
// base_exception and its four kinds do not derive from std::exception, so that `catch (const std::exception&)` swallows
// neither a cancellation nor an interrupt (Python: BaseException). What signals misuse derives from the std class that a
// C++ programmer would look for.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

namespace rondo {

/// What a normal error handler must not swallow.
class base_exception {
public:
    base_exception();
    explicit base_exception(std::string message);
    base_exception(const base_exception&);
    base_exception& operator=(const base_exception&);
    virtual ~base_exception();
    virtual const char* what() const noexcept;

private:
    std::string message_;
};

namespace detail {
struct cancelled_access;
} // namespace detail

/// The awaiting task was asked to stop. Final, because whether an exception is a cancellation is decided by its type alone.
class cancelled_error final : public base_exception {
public:
    cancelled_error();
    explicit cancelled_error(std::string message);
    const std::string& message() const noexcept { return text_; }

private:
    friend struct detail::cancelled_access;
    std::string text_;
    const void* scope_ = nullptr; // the cancel_scope that asked; null: a task::cancel()
};

class keyboard_interrupt : public base_exception {
public:
    using base_exception::base_exception;
};

class generator_exit : public base_exception {
public:
    using base_exception::base_exception;
};

class system_exit : public base_exception {
public:
    explicit system_exit(int code = 0);
    int code() const noexcept { return code_; }

private:
    int code_;
};

class runtime_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class value_error : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

class type_error : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

class lookup_error : public std::out_of_range {
public:
    using std::out_of_range::out_of_range;
};

class invalid_state_error : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// The exception that `error` was thrown from (std::throw_with_nested), or null.
std::exception_ptr cause_of(const std::exception_ptr& error) noexcept;

namespace detail {
/// Which cancel_scope a cancellation belongs to: everyone absorbs only his own.
struct cancelled_access {
    static cancelled_error make(std::string message, const void* scope);
    static const void* scope(const cancelled_error& error) noexcept { return error.scope_; }
};
} // namespace detail

} // namespace rondo
