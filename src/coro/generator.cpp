#include <rondo/coro/generator.hpp>

namespace rondo::detail {

void throw_not_started() {
    throw type_error("a value cannot be sent to a generator that has not started: say next() first");
}
void throw_no_result() { throw invalid_state_error("the generator has no result"); }

} // namespace rondo::detail
