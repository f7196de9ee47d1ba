// What the library asks of the compiler, and the few attributes that it spells through macros.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && (__GNUC__ < 12 || (__GNUC__ == 12 && __GNUC_MINOR__ < 3)) &&           \
    !defined(RONDO_ALLOW_BROKEN_GCC)
#error "GCC < 12.3 miscompiles coroutines (bodies dropped, double destroys); use clang >= 16 (reference: clang 19)"
#endif

// RONDO_LINT_LIFETIMES turns on clang's search for dangling coroutine arguments. It is not the default because
// coro_return_type makes every plain function that returns a coro an error: std::bind_front, forwarding lambdas.
#if defined(RONDO_LINT_LIFETIMES) && defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::coro_return_type)
#define RONDO_CORO_TYPE [[clang::coro_return_type, clang::coro_lifetimebound]]
#define RONDO_CORO_WRAPPER [[clang::coro_wrapper]]
#define RONDO_CORO_OWNER [[clang::coro_wrapper, clang::coro_disable_lifetimebound]]
#endif
#endif
#ifndef RONDO_CORO_TYPE
#define RONDO_CORO_TYPE
#define RONDO_CORO_WRAPPER // a plain function whose coro may refer to its arguments
#define RONDO_CORO_OWNER   // a plain function whose coro keeps what it needs of them
#endif

// Before clang 19 an inlined await_suspend may keep its locals in the frame, which may be gone by then (LLVM 56301).
#if defined(__clang__) && __clang_major__ < 19
#define RONDO_AWAIT_SUSPEND [[gnu::noinline]]
#else
#define RONDO_AWAIT_SUSPEND
#endif
