// Awaits in conditions, loops, conditional expressions, switches and try blocks.
#include "coro/conformance/shapes.hpp"

#include <vector>

namespace rondo::test::conformance {
namespace {

coro<std::vector<witness>> make_vector() {
    co_await point{};
    std::vector<witness> v;
    v.emplace_back(1);
    v.emplace_back(2);
    co_return v;
}

RONDO_SHAPE(conditional_of_two_awaits, 1) {
    witness w = !never() ? co_await make(1) : co_await make(2);
    co_return w.get();
}
RONDO_SHAPE(conditional_of_an_await_and_a_value, 1) {
    witness w = !never() ? co_await make(1) : witness(2);
    co_return w.get();
}
RONDO_SHAPE(conditional_that_takes_the_value, 2) {
    witness w = never() ? co_await make(1) : witness(2);
    co_await point{};
    co_return w.get();
}
RONDO_SHAPE(await_of_a_conditional, 2) {
    witness w = co_await (never() ? make(1) : make(2));
    co_return w.get();
}
RONDO_SHAPE(conditional_int_with_a_temporary, 1) {
    const int got = !never() ? co_await take(witness(1)) : 0;
    co_return got;
}
RONDO_SHAPE(conditional_int_that_skips_the_temporary, 0) {
    const int got = never() ? co_await take(witness(1)) : 0;
    co_await point{};
    co_return got;
}
RONDO_SHAPE(conditional_int_that_skips_a_reference, 0) {
    const int got = never() ? co_await take_reference(witness(1)) : 0;
    co_await point{};
    co_return got;
}
RONDO_SHAPE(and_that_stops, 0) {
    const bool got = never() && co_await take_reference(witness(1)) != 0;
    co_await point{};
    co_return got ? 1 : 0;
}
RONDO_SHAPE(and_that_goes_on, 1) {
    const bool got = !never() && co_await take_reference(witness(1)) != 0;
    co_return got ? 1 : 0;
}
RONDO_SHAPE(or_that_stops, 1) {
    const bool got = !never() || co_await take_reference(witness(1)) != 0;
    co_await point{};
    co_return got ? 1 : 0;
}
RONDO_SHAPE(if_and, 5) {
    if (never() && co_await take_reference(witness(1)) == 1) co_return 4;
    co_await point{};
    co_return 5;
}
RONDO_SHAPE(if_and_with_a_string, 5) {
    if (never() && !(co_await make_string(long_string())).empty()) co_return 4;
    co_await point{};
    co_return 5;
}
RONDO_SHAPE(if_or_chain, 4) {
    if (co_await take(witness(0)) || co_await take_reference(witness(0)) || co_await take(witness(1))) co_return 4;
    co_return 5;
}
RONDO_SHAPE(if_without_any_local, 2) {
    if (co_await point{1}) co_return 2;
    co_return 5;
}
RONDO_SHAPE(if_with_initialiser, 1) {
    if (auto w = co_await make(1); w.get()) co_return w.get();
    co_return 0;
}
RONDO_SHAPE(if_that_declares, 1) {
    if (witness w = co_await make(1)) co_return co_await take(w);
    else co_return w.get();
}
RONDO_SHAPE(while_condition, 3) {
    int n = 0;
    while (co_await take(witness(n < 3))) ++n;
    co_return n;
}
RONDO_SHAPE(while_that_declares, 3) {
    int n = 0;
    while (witness w = co_await make(n < 3)) n += w.get();
    co_return n;
}
RONDO_SHAPE(do_while_condition, 3) {
    int n = 0;
    do ++n;
    while (co_await take_reference(witness(n < 3)));
    co_return n;
}
RONDO_SHAPE(for_with_three_awaits, 3) {
    int n = 0;
    for (int i = co_await take(witness(0)); i < co_await take(witness(3)); i += co_await take(witness(1))) ++n;
    co_return n;
}
RONDO_SHAPE(range_for_over_an_await, 3) {
    int sum = 0;
    for (const auto& w : co_await make_vector()) sum += w.get();
    co_return sum;
}
RONDO_SHAPE(range_for_that_awaits_inside, 3) {
    int sum = 0;
    for (const auto& w : co_await make_vector()) sum += co_await take(w);
    co_return sum;
}
RONDO_SHAPE(range_for_over_a_list, 3) {
    int sum = 0;
    for (const auto& w : {witness(1), witness(2)}) sum += co_await take(w);
    co_return sum;
}
RONDO_SHAPE(range_for_with_initialiser, 3) {
    int sum = 0;
    for (auto v = co_await make_vector(); const auto& w : v) sum += co_await take(w);
    co_return sum;
}
RONDO_SHAPE(switch_with_initialiser, 7) {
    switch (int x = co_await take(witness(2)); x) {
    case 1: co_return 1;
    case 2: {
        witness w(5);
        const int y = co_await take_reference(witness(2));
        co_return w.get() + y;
    }
    default: co_return 0;
    }
}
RONDO_SHAPE(switch_on_a_temporary, 2) {
    switch (co_await take_reference(witness(2))) {
    case 2: co_return 2;
    default: co_return 0;
    }
}
RONDO_SHAPE(branch_not_taken, 5) {
    int got = 5;
    if (never()) {
        witness w(1);
        got = co_await take_reference(witness(2));
    }
    co_await point{};
    co_return got;
}
RONDO_SHAPE(goto_backwards, 3) {
    int n = 0;
again:
    witness w(n);
    co_await take(w);
    if (++n < 3) goto again;
    co_return n;
}
RONDO_SHAPE(try_and_catch, 50) {
    int got = 0;
    try {
        witness w(1);
        got = co_await take_reference(witness(2));
        throw 5;
    } catch (int e) {
        got = e;
    }
    if (got == thrown_by_point) co_return got;
    witness w(3);
    co_await take(w);
    co_return got * 10;
}
RONDO_SHAPE(nested_try, 6) {
    int got = 0;
    for (int i = 0; i < 3; ++i) {
        try {
            try {
                witness w(i);
                co_await take(witness(1));
                if (i == 1) throw 1;
                ++got;
            } catch (const char*) {
                got = -100;
            }
        } catch (int) {
            got += 4;
        }
    }
    co_return got;
}
RONDO_LEAKING_SHAPE(throw_of_an_await, 7) {
    int got = 0;
    try {
        throw co_await make(7);
    } catch (const witness& w) {
        got = w.get();
    } catch (int e) {
        got = e;
    }
    co_return got;
}

} // namespace
} // namespace rondo::test::conformance
