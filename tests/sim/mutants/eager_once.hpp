// A value that is made at the first use: by everybody who comes before it is there.
#pragma once

#include <rondo/coro/coro.hpp>
#include <rondo/sim/world.hpp>

#include <optional>

namespace rondo::test {

class eager_once {
public:
    coro<int> get() {
        if (!value_) {
            ++made_;
            co_await sim::hesitate("while the value is made");
            value_ = 42;
        }
        co_return *value_;
    }
    int times_made() const { return made_; }

private:
    std::optional<int> value_;
    int made_ = 0;
};

} // namespace rondo::test
