#include "sim/memory.hpp"

#include "coro/block_gate.hpp"
#include "sim/labels.hpp"
#include "sim/simulation.hpp"

#include <new>

namespace rondo::sim::detail {

constinit thread_local memory_watch watched_memory;

void let_an_allocation_fail() {
    simulation* const world = watched_memory.decides;
    if (!world) return;
    const allocating_for_the_world own;
    if (world->fails(world->faults.memory, labels::an_allocation_fails)) throw std::bad_alloc();
}

namespace {

class gate final : public rondo::detail::block_gate {
public:
    void* allocate(std::size_t c) override {
        let_an_allocation_fail();
        const allocating_for_the_world own; // a new slab is nothing that a run can count on
        return rondo::detail::allocate_ungated_block(c);
    }
};
constinit gate the_gate;

} // namespace

void watch_blocks(bool on) noexcept { rondo::detail::set_block_gate(on ? &the_gate : nullptr); }

} // namespace rondo::sim::detail
