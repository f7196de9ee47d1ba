// What a loop knows of tasks, which belong to the floor above: by functions that floor gives it.
#pragma once

#include <rondo/loop/detail/ready_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>

namespace rondo::detail {

class future_state;
class task_record;

/// What a signal handler finds out about the task that runs.
struct running_task {
    static constexpr std::size_t max_frames = 32;
    static constexpr std::size_t max_name = 64;
    struct frame {
        std::source_location await_at;
        std::source_location function;
    };
    std::uint64_t id = 0; // 0: none
    std::source_location created_at;
    std::size_t name_size = 0; // 0: it has only its number
    char name[max_name];
    std::size_t depth = 0;
    frame frames[max_frames]; // innermost first
};

/// What a loop asks the task floor, which knows what a task is.
struct task_floor {
    /// The task that this node is, with a count taken, or null.
    future_state* (*keep)(ready_node& node) noexcept;
    std::string (*text)(const future_state& of);
    void (*let_go)(future_state& of) noexcept;
    /// From a signal handler, in the loop's thread.
    void (*picture)(const task_record& of, running_task& into) noexcept;
};

} // namespace rondo::detail
