#include <rondo/loop/detail/loop_door.hpp>

#include <thread>

namespace rondo::detail {

void loop_door::shut() noexcept {
    loop_.store(nullptr);
    while (visitors_.load() != 0) std::this_thread::yield();
}

} // namespace rondo::detail
