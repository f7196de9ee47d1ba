// Waiting for a process.
#pragma once

#include <rondo/io/detail/write_awaiter.hpp>
#include <rondo/loop/detail/counted_ptr.hpp>
#include <rondo/task/detail/awaiter.hpp>

#include <exception>
#include <string>
#include <utility>

namespace rondo::detail {

class process_core;
void retain(process_core& p) noexcept;
void release(process_core& p) noexcept;

class [[nodiscard]] process_wait_awaiter final : public leaf_awaiter<process_wait_awaiter, int> {
public:
    explicit process_wait_awaiter(counted_ptr<process_core> of) noexcept : of_(std::move(of)) {}
    process_wait_awaiter(process_wait_awaiter&& other) noexcept
        : leaf_awaiter(static_cast<leaf_awaiter&&>(other)), of_(std::move(other.of_)) {}
    ~process_wait_awaiter();

    cancel_outcome cancel(const std::string& message) noexcept override;
    std::string describe() const override;

    bool try_now() const noexcept;
    void enqueue() noexcept;
    std::exception_ptr failure();
    int value() const noexcept;
    void over() noexcept {
        listed_ = false;
        settle();
    }

private:
    friend struct waiting_list<process_wait_awaiter>;
    counted_ptr<process_core> of_;
    process_wait_awaiter* next_ = nullptr;
    process_wait_awaiter* previous_ = nullptr;
    bool listed_ = false;
};

} // namespace rondo::detail
