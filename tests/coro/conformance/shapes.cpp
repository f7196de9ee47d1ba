#include "coro/conformance/shapes.hpp"

#include "coro/by_hand.hpp"

#include <set>
#include <vector>

namespace rondo::test::conformance {
namespace {

/// The witnesses that live, and what they have complained about.
struct ledger {
    std::set<const witness*> living;
    std::vector<std::string_view> faults;
};
ledger& books() {
    static ledger the;
    return the;
}
void fault(std::string_view what) { books().faults.push_back(what); }

enum class mode { ready, suspend, destroy, raise };

/// One run of a shape: what its points do, and where it has come to. `at` counts from 1.
struct run_state {
    mode how = mode::ready;
    int at = 0;
    int suspensions = 0;
    int resumptions = 0;
    std::coroutine_handle<> innermost;
};
run_state now;

/// False when the shape ended before the point that was to destroy it or to throw.
bool run_once(coro<int> (*shape)(), mode how, int at, int expected) {
    SCOPED_TRACE(::testing::Message() << "mode " << static_cast<int>(how) << " at point " << at);
    books() = {};
    bool came_to_it = true;
    {
        coro<int> c = shape();
        const auto root = detail::coro_access::release(c);
        end_of_chain end;
        root.promise().continuation = end.handle();
        now = {.how = how, .at = at, .suspensions = 0, .resumptions = 0, .innermost = root};
        bool destroyed = false;
        while (!end.reached && !destroyed) {
            if (how == mode::destroy && now.suspensions == at) {
                destroy_chain(now.innermost, end);
                destroyed = true;
            } else {
                now.innermost.resume();
            }
        }
        if (!destroyed) {
            auto outcome = std::move(root.promise().outcome());
            root.destroy();
            came_to_it = how == mode::ready || how == mode::suspend || (how == mode::raise && now.resumptions >= at);
            if (how != mode::raise) {
                EXPECT_EQ(std::move(outcome).value(), expected);
            } else if (!outcome.has_value()) {
                EXPECT_THROW(std::move(outcome).value(), int) << "only what the point threw can come out";
            }
        }
    }
    EXPECT_EQ(books().living.size(), 0U) << "values that were never destroyed";
    EXPECT_EQ(books().faults, std::vector<std::string_view>{});
    return came_to_it;
}

} // namespace

void witness::begin() {
    if (!books().living.insert(this).second) fault("constructed over a living value");
    self_ = this;
}
void witness::require_living() const {
    if (!books().living.contains(this)) fault("used before or after its life");
    else if (self_ != this) fault("moved as bytes");
}
witness::witness(int number) : number_(number) { begin(); }
witness::witness(const witness& other) : number_(other.number_) {
    other.require_living();
    begin();
}
witness::witness(witness&& other) noexcept : number_(other.number_) {
    other.require_living();
    begin();
}
witness& witness::operator=(const witness& other) {
    other.require_living();
    require_living();
    number_ = other.number_;
    return *this;
}
witness::~witness() {
    if (self_ != this) fault("moved as bytes, then destroyed");
    if (books().living.erase(this) == 0) fault("destroyed twice");
    self_ = nullptr;
}
int witness::get() const {
    require_living();
    return number_;
}

bool point::await_ready() const noexcept { return now.how == mode::ready; }
void point::await_suspend(std::coroutine_handle<> frame) const noexcept {
    now.innermost = frame;
    ++now.suspensions;
}
int point::await_resume() const {
    ++now.resumptions;
    if (now.how == mode::raise && now.resumptions == now.at) throw thrown_by_point;
    return value;
}

bool never() {
    static volatile bool answer = false;
    return answer;
}

void examine(coro<int> (*shape)(), int expected, when_destroyed after) {
    constexpr int more_points_than_any_shape_has = 64;
    run_once(shape, mode::ready, 0, expected);
    run_once(shape, mode::suspend, 0, expected);
#if defined(__clang__) && __clang_major__ < 19
    constexpr bool braces_leak = true;
#else
    constexpr bool braces_leak = false;
#endif
    const bool may_be_destroyed =
        after == when_destroyed::destroys_all || (after == when_destroyed::leaks_before_clang_19 && !braces_leak);
    if (may_be_destroyed) {
        int at = 1;
        while (at < more_points_than_any_shape_has && run_once(shape, mode::destroy, at, expected)) ++at;
        EXPECT_GT(at, 1) << "a shape must wait somewhere";
    }
    int at = 1;
    while (at < more_points_than_any_shape_has && run_once(shape, mode::raise, at, expected)) ++at;
    EXPECT_GT(at, 1);
}

} // namespace rondo::test::conformance
