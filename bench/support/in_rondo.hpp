// Cases that are coroutines of ours: in_rondo(body) runs body(meter) in a loop of its own.
#pragma once

#include "measure.hpp"

#include <rondo/rondo.hpp>

#include <functional>

namespace bench {

inline std::function<void(meter&)> in_rondo(rondo::coro<> (*body)(meter&)) {
    return [body](meter& m) { rondo::run(body, std::ref(m)); };
}

} // namespace bench
