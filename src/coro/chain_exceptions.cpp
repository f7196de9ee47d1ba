#include <rondo/coro/detail/chain_exceptions.hpp>

#include <rondo/coro/detail/exception_cast.hpp>

#include <cxxabi.h>

#include <bit>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace rondo::detail {

namespace {

void* object_of(const std::exception_ptr& error) noexcept {
    static_assert(sizeof(std::exception_ptr) == sizeof(void*));
    return std::bit_cast<void*>(*reinterpret_cast<void* const*>(&error));
}

/// The copy constructor of a thrown object cannot be found from its type_info, so no object of a derived type can be made of
/// it. What a handler asks of the thrown type is only whether, and where, there is a subobject of the handler's type
/// (type_info::__do_upcast): so the type answers for two objects, the error and this one, which has the cause.
class chained : public std::nested_exception {
public:
    /// In the handler of the cause, which nested_exception takes as its own.
    explicit chained(const std::exception_ptr& error) : type_(*this, error) {}
    chained(const chained&) = delete;
    chained& operator=(const chained&) = delete;

    [[noreturn]] static void raise(const std::exception_ptr& error) {
        void* place = __cxxabiv1::__cxa_allocate_exception(sizeof(chained));
        chained* made = nullptr;
        try {
            made = new (place) chained(error);
        } catch (...) {
            __cxxabiv1::__cxa_free_exception(place);
            throw;
        }
        __cxxabiv1::__cxa_throw(place, &made->type_, [](void* object) { static_cast<chained*>(object)->~chained(); });
    }

private:
    struct mangled_name {
        std::string text;
    };
    class two_types final : private mangled_name, public __cxxabiv1::__class_type_info {
    public:
        two_types(chained& owner, const std::exception_ptr& error)
            // rondo::chained<E>, mangled. It must not be E's: then handlers would not ask where the E is.
            : mangled_name{std::string("N5rondo7chainedI") + error.__cxa_exception_type()->name() + "EE"},
              __class_type_info(text.c_str()),
              owner_(owner),
              error_(error) {}
        const std::exception_ptr& error() const noexcept { return error_; }

    private:
        bool __do_upcast(const __cxxabiv1::__class_type_info* wanted, void** object) const override {
            if (*wanted == typeid(std::nested_exception)) {
                *object = static_cast<std::nested_exception*>(&owner_);
                return true;
            }
            void* inner = object_of(error_);
            const auto* as = static_cast<const std::type_info*>(wanted);
            if (!as->__do_catch(error_.__cxa_exception_type(), &inner, 1)) return false;
            *object = inner;
            return true;
        }
        using __class_type_info::__do_upcast; // NOLINT(bugprone-reserved-identifier)

        chained& owner_;
        std::exception_ptr error_;
    };
    friend const std::type_info& rondo::detail::type_of(const std::exception_ptr& error) noexcept;
    two_types type_;
};

std::exception_ptr chain_one(const std::exception_ptr& error, const std::exception_ptr& cause) {
    try {
        std::rethrow_exception(cause);
    } catch (...) {
        try {
            chained::raise(error);
        } catch (...) {
            return std::current_exception();
        }
    }
}

bool can_have_a_cause(const std::exception_ptr& error) noexcept {
    return dynamic_cast<const __cxxabiv1::__class_type_info*>(error.__cxa_exception_type()) && !is_cancellation(error);
}

} // namespace

const std::type_info& type_of(const std::exception_ptr& error) noexcept {
    const std::type_info* type = error.__cxa_exception_type();
    const auto* both = dynamic_cast<const chained::two_types*>(type);
    return both ? type_of(both->error()) : *type;
}

std::exception_ptr chain_exceptions(const std::exception_ptr& error, const std::exception_ptr& cause) {
    if (!cause || error == cause) return error;
    std::vector<std::exception_ptr> chain; // the error, its cause, that one's, ...
    for (std::exception_ptr at = error; at; at = cause_of(at)) {
        if (at == cause) return error;
        if (at != error && is_cancellation(at)) break; // a real cause takes its place
        if (!can_have_a_cause(at)) return nullptr;
        chain.push_back(at);
    }
    std::exception_ptr whole = cause;
    for (std::size_t i = chain.size(); i-- > 0;) whole = chain_one(chain[i], whole);
    return whole;
}

} // namespace rondo::detail
