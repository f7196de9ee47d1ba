// Several bodies, each explored until one fails.
#pragma once

#include <rondo/sim/run.hpp>

#include <initializer_list>
#include <stdexcept>
#include <utility>

namespace rondo::sim::detail {

/// What all of them came to; the first counter-example ends it.
inline exploration explore_all_of(const options& how, std::initializer_list<body_factory> bodies) {
    exploration all;
    for (const body_factory& body : bodies) {
        exploration one = explore(how, body);
        all.schedules += one.schedules;
        all.choices += one.choices;
        all.counter_example = std::move(one.counter_example);
        if (all.counter_example) break;
    }
    return all;
}

/// What a check says when the thing under test does not keep a promise.
inline void require(bool kept, const char* broken) {
    if (!kept) throw std::logic_error(broken);
}

} // namespace rondo::sim::detail
