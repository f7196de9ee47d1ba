// Who waits for whom, and where: the call graph of a task (asyncio.capture_call_graph, Python 3.14).
#pragma once

#include <rondo/task/future.hpp>
#include <rondo/task/task.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rondo {

/// A task or future, where it waits, innermost first, and those who wait for it, with the same of theirs.
///
/// Each is there once with all of that, where it is met first, reading from top to bottom; wherever else it waits it is a mention:
/// repeated, with nothing but its future. So a graph is as large as the program's, whatever number of ways lead through it, and
/// a circle ends where it closes. Copied and destroyed without recursion.
struct future_call_graph {
    any_future future = {};
    std::vector<stack_entry> call_stack = {};
    std::vector<future_call_graph> awaited_by = {};
    bool repeated = false;

    explicit future_call_graph(any_future of = {}) noexcept : future(std::move(of)) {}
    future_call_graph(const future_call_graph& other);
    future_call_graph(future_call_graph&& other) noexcept = default;
    future_call_graph& operator=(future_call_graph other) noexcept;
    ~future_call_graph();
};
/// limit: n, the innermost n frames; -n, the outermost; 0, none. Not set: all.
struct call_graph_options {
    std::optional<int> limit = std::nullopt;
};

/// Of a task or future of the running loop, or of the loop that it belongs to when none runs. A gather or a shield between two
/// tasks is seen through. A null handle: type_error. O(tasks of the loop, their waits and their frames). A frame of a running
/// task shows where it last waited.
std::optional<future_call_graph> capture_call_graph(const any_future& of, call_graph_options options = {});
/// Of the current task; nullopt when none runs. runtime_error without a running loop.
std::optional<future_call_graph> capture_call_graph(call_graph_options options = {});

/// The same as text, in asyncio's form; empty where there is none. What is mentioned again ends with "(see above)". From the 32nd
/// level on lines are not indented further, and the level is named.
///
///     * Task(name='worker', id=0x2a)
///       + Call stack:
///       |   File 'main.cpp', line 12, in async fetch()
///       + Awaited by:
///         * Task(name='main', id=0x1)
std::string format_call_graph(const any_future& of, call_graph_options options = {});
std::string format_call_graph(call_graph_options options = {});
/// To stdout, and a newline.
void print_call_graph(const any_future& of, call_graph_options options = {});
void print_call_graph(call_graph_options options = {});

namespace lowlevel {

/// Tells the graph that `waiter` waits for `fut`, where the library cannot see it: in a combinator of one's own. What is awaited is
/// known without. Kept, both with a handle, until it is taken back or the loop is closed. A null handle: type_error.
void add_awaited_by(const future_base& fut, const future_base& waiter);
void discard_awaited_by(const future_base& fut, const future_base& waiter);

} // namespace lowlevel

} // namespace rondo
