// A world in which time passes when the test says so.
#pragma once

#include "support/forwarding_backend.hpp"

#include <memory>
#include <utility>

namespace rondo::test {

/// A wait that no timer ends lasts until something real happens: the test's own task has to keep yielding.
class manual_clock : public forwarding_backend {
public:
    struct hand {
        duration moved{};
    };
    manual_clock(std::unique_ptr<detail::backend> real, const hand& h)
        : forwarding_backend(std::move(real)), began_(forwarding_backend::now()), hand_(h) {}

    time_point now() const noexcept override { return began_ + hand_.moved; }
    void wait(time_point until) noexcept override {
        forwarding_backend::wait(until <= now() ? time_point::min() : time_point::max());
    }

private:
    time_point began_;
    const hand& hand_;
};

} // namespace rondo::test
