// Who waits for whom, when nobody will go on.
#pragma once

#include <string>

namespace rondo {
class event_loop;
}

namespace rondo::sim::detail {

/// Every task that is not done: what it waits for, where, and who could end that; then the circle, if they wait in one.
std::string describe_waiting_tasks(event_loop& loop);

} // namespace rondo::sim::detail
