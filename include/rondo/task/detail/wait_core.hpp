// Waiting for several futures at once, without consuming what comes of them.
#pragma once

#include <rondo/task/detail/awaiter.hpp>
#include <rondo/task/detail/future_state.hpp>
#include <rondo/task/wait_options.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rondo::detail {

/// Where each of them stands for the first time, in order. O(n log n).
std::vector<std::size_t> first_places(const std::vector<counted_ptr<future_state>>& futures);

/// Waits until the condition holds; nothing is cancelled or thrown but the waiting task's own cancellation. Suspends at
/// least once, as asyncio.wait does.
class wait_awaiter final : public leaf_awaiter<wait_awaiter, void> {
public:
    wait_awaiter(std::vector<counted_ptr<future_state>> futures, return_when condition);
    wait_awaiter(wait_awaiter&& other) noexcept;
    ~wait_awaiter();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;
    void waits_for(std::vector<const future_state*>& who) const override;

    bool try_now();
    void enqueue() noexcept;
    std::exception_ptr failure();
    void value() const noexcept {}

private:
    struct watch : done_node {
        watch() noexcept : done_node(&ended) {}
        static void ended(done_node& node, future_state& of) noexcept;
        wait_awaiter* owner = nullptr;
        counted_ptr<future_state> future;
    };
    void look_at(const future_state& f) noexcept;
    bool satisfied() const noexcept;
    void unwatch() noexcept;

    std::unique_ptr<watch[]> watches_;
    std::size_t count_;
    std::size_t pending_ = 0;
    return_when condition_;
    bool one_done_ = false;
    bool one_failed_ = false;
};

} // namespace rondo::detail
