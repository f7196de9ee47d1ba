// Closures: coroutine lambdas, and callables handed to a coroutine in an await expression.
#include "coro/conformance/shapes.hpp"

#include <type_traits>

namespace rondo::test::conformance {
namespace {

coro<int> take_function(std::function<int()> f) {
    co_await point{};
    co_return f();
}
coro<int> take_function_reference(const std::function<int()>& f) {
    co_await point{};
    co_return f();
}
template <class F> coro<int> take_callable(F f) {
    co_await point{};
    co_return f();
}
template <class F> coro<int> take_coroutine(F f) { co_return co_await f(); }
template <class F> coro<int> take_coroutine_reference(F&& f) { co_return co_await f(); }

RONDO_SHAPE(lambda_called_at_once, 1) {
    co_return co_await [w = witness{1}]() -> coro<int> {
        co_await point{};
        co_return w.get();
    }();
}
RONDO_SHAPE(lambda_with_a_name, 1) {
    auto f = [w = witness{1}]() -> coro<int> {
        co_await point{};
        co_return w.get();
    };
    co_return co_await f();
}
RONDO_SHAPE(lambda_that_captures_references, 3) {
    witness w{1};
    const int k = 2;
    auto f = [&]() -> coro<int> {
        co_await point{};
        co_return w.get() + k;
    };
    co_return co_await f();
}
RONDO_SHAPE(lambda_with_a_parameter, 1) {
    co_return co_await [](witness w) -> coro<int> {
        co_await point{};
        co_return w.get();
    }(witness{1});
}
RONDO_SHAPE(generic_lambda, 1) {
    co_return co_await [](auto w) -> coro<int> {
        co_await point{};
        co_return w.get();
    }(witness{1});
}
RONDO_SHAPE(generic_lambda_with_if_constexpr, 1) {
    co_return co_await []<class X>(X w) -> coro<int> {
        if constexpr (std::is_same_v<X, witness>) {
            co_await point{};
            co_return w.get();
        } else {
            co_return 0;
        }
    }(witness{1});
}
RONDO_SHAPE(lambda_with_an_unnamed_parameter, 1) {
    co_return co_await [](witness) -> coro<int> {
        co_await point{};
        co_return 1;
    }(witness(5));
}
RONDO_SHAPE(lambda_with_an_unused_parameter, 1) {
    co_return co_await []([[maybe_unused]] witness w) -> coro<int> {
        co_await point{};
        co_return 1;
    }(witness(5));
}
RONDO_SHAPE(lambda_that_returns_braces, 5) {
    witness w = co_await []() -> coro<witness> {
        co_await point{};
        co_return {5};
    }();
    co_return w.get();
}
RONDO_SHAPE(lambda_that_returns_a_local, 5) {
    witness w = co_await []() -> coro<witness> {
        witness local(5);
        co_await point{};
        co_return local;
    }();
    co_return w.get();
}
RONDO_SHAPE(lambda_that_returns_its_parameter, 5) {
    witness w = co_await [](witness given) -> coro<witness> {
        co_await point{};
        co_return given;
    }(witness(5));
    co_return w.get();
}
RONDO_SHAPE(lambda_that_captures_a_structured_binding, 3) {
    auto [a, b] = co_await make_pair_of_witnesses();
    auto f = [&a, number = b.get()]() -> coro<int> {
        co_await point{};
        co_return a.get() + number;
    };
    co_return co_await f();
}

RONDO_SHAPE(function_from_a_closure, 1) {
    co_return co_await take_function([w = witness{1}] { return w.get(); });
}
RONDO_SHAPE(function_reference_from_a_closure, 1) {
    co_return co_await take_function_reference([w = witness{1}] { return w.get(); });
}
RONDO_SHAPE(function_from_a_closure_with_a_string, long_size) {
    const std::string s = long_string();
    co_return co_await take_function([s] { return size_of(s); });
}
RONDO_SHAPE(function_from_a_closure_with_references, 1) {
    witness w{1};
    co_return co_await take_function([&] { return w.get(); });
}
RONDO_SHAPE(callable_with_a_moved_capture, 1) {
    co_return co_await take_callable([w = witness{1}] { return w.get(); });
}
RONDO_SHAPE(callable_with_a_copied_capture, 1) {
    witness w{1};
    co_return co_await take_callable([w] { return w.get(); });
}
RONDO_SHAPE(coroutine_lambda_as_argument, 1) {
    co_return co_await take_coroutine([w = witness{1}]() -> coro<int> {
        co_await point{};
        co_return w.get();
    });
}
RONDO_SHAPE(coroutine_lambda_as_reference_argument, 1) {
    co_return co_await take_coroutine_reference([w = witness{1}]() -> coro<int> {
        co_await point{};
        co_return w.get();
    });
}
RONDO_SHAPE(closure_in_a_loop, 6) {
    int sum = 0;
    for (int i = 1; i <= 3; ++i) sum += co_await take_function([i, w = witness(i)] { return w.get() + i - i; });
    co_return sum;
}
RONDO_SHAPE(closure_named_first, 6) {
    int sum = 0;
    for (int i = 1; i <= 3; ++i) {
        auto f = [i, w = witness(i)] { return w.get() + i - i; };
        sum += co_await take_function(std::move(f));
    }
    co_return sum;
}

// Awaiters that are made of, or from, closures and other owners.

struct owning_awaiter {
    witness w;
    point at{};
    bool await_ready() const noexcept { return at.await_ready(); }
    void await_suspend(std::coroutine_handle<> frame) const noexcept {
        at.await_suspend(frame);
        static_cast<void>(w.get());
    }
    int await_resume() const {
        static_cast<void>(at.await_resume());
        return w.get();
    }
};
struct function_awaiter {
    std::function<int()> f;
    witness w;
    point at{};
    bool await_ready() const noexcept { return at.await_ready(); }
    void await_suspend(std::coroutine_handle<> frame) const noexcept { at.await_suspend(frame); }
    int await_resume() const {
        static_cast<void>(at.await_resume());
        return f() + w.get();
    }
};
function_awaiter make_awaiter(std::function<int()> f) { return {std::move(f), witness(7)}; }
template <class F> function_awaiter make_awaiter_from_any(F f) {
    return {std::function<int()>(std::move(f)), witness(7)};
}
struct awaitable_that_owns {
    witness w;
    owning_awaiter operator co_await() && { return owning_awaiter{w}; }
};

RONDO_SHAPE(awaiter_made_from_a_function, 8) {
    co_return co_await make_awaiter([w = witness{1}] { return w.get(); });
}
RONDO_SHAPE(awaiter_made_from_a_closure, 8) {
    co_return co_await make_awaiter_from_any([w = witness{1}] { return w.get(); });
}
RONDO_SHAPE(awaiter_as_aggregate, 1) { co_return co_await owning_awaiter{witness(1)}; }
RONDO_SHAPE(awaiter_as_aggregate_with_names, 1) { co_return co_await owning_awaiter{.w = witness(1)}; }
RONDO_SHAPE(awaiter_as_aggregate_of_a_closure, 3) {
    co_return co_await function_awaiter{[w = witness{1}] { return w.get(); }, witness{2}};
}
RONDO_SHAPE(awaiter_from_operator_co_await, 1) { co_return co_await awaitable_that_owns{witness(1)}; }
RONDO_SHAPE(awaiter_with_a_name, 1) {
    owning_awaiter a{witness(1)};
    co_return co_await a;
}

} // namespace
} // namespace rondo::test::conformance
