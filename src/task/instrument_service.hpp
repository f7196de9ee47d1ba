// The instruments of a loop.
#pragma once

#include <rondo/loop/detail/loop_observer.hpp>
#include <rondo/loop/detail/loop_state.hpp>
#include <rondo/task/instrument.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace rondo::detail {

/// The loop's observer while there is at least one instrument.
class instrument_service final : public loop_service, private loop_observer {
public:
    ~instrument_service() override;

    void add(event_loop& loop, std::shared_ptr<instrument> added);
    bool remove(const instrument& removed) noexcept;
    /// Failures of hooks that are still to be reported are reported.
    void close(event_loop& loop, closing step) noexcept override;

private:
    void run_begins() noexcept override;
    void run_ends() noexcept override;
    void wait_begins(delay timeout) noexcept override;
    void wait_ends(delay timeout) noexcept override;
    void run(ready_node& node, event_loop& loop) override;
    void spawned(task_record& task) noexcept override;
    void scheduled(task_record& task) noexcept override;
    void exited(task_record& task) noexcept override;

    /// Calls call(instrument) for each that was there when it began.
    template <class F> void tell(const char* hook, F&& call) noexcept;
    void failed(const char* hook, std::exception_ptr error) noexcept;
    void report_failures() noexcept;
    void sweep() noexcept;

    struct failure {
        const char* hook;
        std::exception_ptr error;
    };
    event_loop* loop_ = nullptr;
    std::vector<std::shared_ptr<instrument>> all_; // null: removed while hooks are called
    std::vector<failure> failures_;
    unsigned telling_ = 0; // a hook may make something happen that hooks are told of
};

} // namespace rondo::detail
