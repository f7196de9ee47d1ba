// Threads of the library's own, and the processors that threads run on.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace rondo::detail {

/// A thread that runs body(), named as far as the system has room for it (15 letters). It blocks every signal: they are the
/// loop's. std::system_error when there can be none.
std::thread start_thread(std::string name, std::function<void()> body);

/// Those that the calling thread may run on, ascending; at least one.
std::vector<int> usable_processors();

/// While it lives, the calling thread runs on one processor. std::system_error when that may not be used.
class processor_pin {
public:
    explicit processor_pin(int processor);
    processor_pin(const processor_pin&) = delete;
    processor_pin& operator=(const processor_pin&) = delete;
    ~processor_pin();

private:
    std::vector<int> before_;
};

} // namespace rondo::detail
