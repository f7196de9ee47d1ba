// Where blocking work goes: an executor, and the thread pool that is the default one.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace rondo {

/// Runs work somewhere else. submit() may be called from any thread; work must not throw.
class executor {
public:
    virtual ~executor();
    virtual void submit(std::function<void()> work) = 0;
};

class thread_pool : public executor {
public:
    explicit thread_pool(std::size_t threads = 0, std::string_view name = "rondo");
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() override;
    void submit(std::function<void()> work) override;

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace rondo
