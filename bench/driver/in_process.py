"""The benchmarks of what happens in one process: each case is a loop of one operation in several programs."""

import micro
from benchmark import OURS, Benchmark, Case
from repeats import Unavailable, interleave

PEER_TARGETS = {"raw": "bench-raw-micro", "asio": "bench-asio-micro", "libuv": "bench-libuv-micro"}


def in_process(name, summary, how, *cases, more_targets=()):
    def measure(case, settings, machine):
        series = interleave(case.subjects, settings.repeats,
                            lambda subject: micro.run(subject, case.name, name, settings.seconds), machine)
        for subject, one in series.items():
            try:
                if one.values:
                    one.extras["system_calls"] = micro.count_system_calls(subject, case.name, name, settings.seconds)
            except Unavailable:
                pass
        return series

    peers = {subject for case in cases for subject in case.subjects}
    targets = (f"bench-{name}", *(PEER_TARGETS[peer] for peer in PEER_TARGETS if peer in peers), *more_targets)
    return Benchmark(name, summary, how, cases, measure, targets)


BENCHMARKS = (
    in_process(
        "await", "co_await of a child that completes",
        "`rondo-debug` is the same program with RONDO_DEBUG=1. A coroutine awaits another that returns at once; "
        "nothing is suspended and no loop takes part. `ten-levels` is the price of each level of a chain of ten, "
        "`done-future` of a future that has its value. The frames come from free lists in rondo and in the floor, "
        "from Asio's own recycling in Asio.",
        Case("await", "one child", ("rondo", "rondo-debug", "raw", "asio", "asyncio", "node")),
        Case("await/ten-levels", "per level of ten", ("rondo", "raw", "asio", "asyncio", "node")),
        Case("await/done-future", "a future that is done", ("rondo",))),
    in_process(
        "yield", "letting other tasks run",
        "A thousand tasks that do nothing but yield; a yield is a turn of one of them. `alone` is one task, so that "
        "each yield is a whole pass of the loop, now and then with a look at the kernel.",
        Case("yield", "a thousand tasks", (*OURS, "raw", "asio", "asyncio", "uvloop", "go")),
        Case("yield/alone", "one task, a pass each", (*OURS, "raw", "asio", "asyncio", "uvloop"))),
    in_process(
        "spawn", "create_task, completion and join",
        "A thousand tasks are created that each return an int, and then each is awaited. `one-by-one` awaits each "
        "before the next is created, `with-arguments` gives create_task() the function and its argument, to be kept, "
        "`group` joins a hundred by a task_group. The floor has no tasks: it runs a detached coroutine that nobody "
        "can join or cancel.",
        Case("spawn", "a thousand at a time", (*OURS, "rondo-debug", "raw", "asio", "asyncio", "uvloop", "go")),
        Case("spawn/one-by-one", "one at a time", (*OURS, "raw", "asio", "asyncio", "uvloop")),
        Case("spawn/with-arguments", "one at a time, a callable with its argument", OURS),
        Case("spawn/group", "per child of a task_group of a hundred", OURS)),
    in_process(
        "queue", "an item from task to task and back",
        "Two tasks, two queues with room for one item; a round trip is two items handed over and two switches of "
        "tasks. Go uses channels without room. `one-way` is an item through a queue with room for 64.",
        Case("queue", "there and back", (*OURS, "raw", "asio", "asyncio", "uvloop", "go")),
        Case("queue/one-way", "one way, room for 64", OURS)),
    in_process(
        "generator", "a step of a generator",
        "Numbers are counted up and added; a step is one of them. `range-for` does it by iterators, `async` by an "
        "async_generator.",
        Case("generator", "next()", ("rondo", "raw", "asyncio", "node")),
        Case("generator/range-for", "range-for", ("rondo",)),
        Case("generator/async", "co_await next() of an async_generator", ("rondo",))),
    in_process(
        "timers", "a million timers: arm, fire, cancel, re-arm",
        "A million deadlines, spread at random over a second (asyncio and uvloop: 200,000). `arm` schedules them in "
        "that order, `fire` lets the second pass, `cancel` takes them back in random order, `rearm` moves an idle "
        "timeout of one of ten thousand connections by a little. The floor is a bare timer wheel without callbacks, "
        "handles or an order within a tick.",
        Case("timers/arm", "arm", (*OURS, "raw", "asio", "libuv", "asyncio", "uvloop", "go")),
        Case("timers/fire", "fire", (*OURS, "raw", "asio", "libuv", "asyncio", "uvloop", "go")),
        Case("timers/cancel", "cancel, in random order", (*OURS, "raw", "asio", "libuv", "asyncio", "uvloop", "go")),
        Case("timers/rearm", "move an idle timeout", (*OURS, "raw", "asio", "libuv", "asyncio", "uvloop", "go"))),
    in_process(
        "pass", "a pass of the loop with one ready callback",
        "A callback schedules itself again: each pass finds exactly one. `thousand` has that many in each pass, so it"
        " is the price of a callback. libuv runs an idle handle, Node setImmediate().",
        Case("pass", "one callback", (*OURS, "asio", "libuv", "asyncio", "uvloop", "node")),
        Case("pass/thousand", "a callback of a thousand", OURS)),
    in_process(
        "cancel", "ending a task that waits",
        "From cancel() to the moment at which the awaiting task has the outcome. The task waits ten coroutines deep; "
        "`one-frame` is one deep; in `ten-that-catch` each of the ten has a catch block that throws on; in `ten-"
        "timeouts` each of the ten awaits the next through timeout(). The floor throws an exception through the "
        "frames, which is what C++ asks for it.",
        Case("cancel", "ten frames deep", (*OURS, "raw", "asio", "asyncio", "uvloop")),
        Case("cancel/one-frame", "one frame deep", (*OURS, "raw", "asio", "asyncio", "uvloop")),
        Case("cancel/ten-that-catch", "ten frames that catch and throw on", OURS),
        Case("cancel/ten-timeouts", "through ten timeout()s", OURS)),
    in_process(
        "sleepers", "memory of a sleeping task",
        "A million tasks that each sleep for an hour (asyncio and uvloop: 100,000), and by how much the resident set "
        "of the process has grown, divided by them. It is everything: frame, task, timer, and what the allocator "
        "rounds up to.",
        Case("sleepers", "resident bytes of each", (*OURS, "asio", "asyncio", "uvloop", "go"), "B"),
        Case("sleepers/create", "creating one and letting it fall asleep", OURS)),
    in_process(
        "threadsafe", "calling into a loop from another thread",
        "What a thread pays for call_soon_threadsafe() while the loop is awake, in CPU time of that thread. `asleep` "
        "is a round trip between two loops in two threads, each on a core of its own, which sleeps until the other "
        "wakes it, in wall time; the floor is an eventfd in epoll_wait().",
        Case("threadsafe", "the caller's side, the loop being awake", (*OURS, "asio", "asyncio", "uvloop")),
        Case("threadsafe/asleep", "round trip of two sleeping loops", (*OURS, "raw", "asio", "libuv", "asyncio", "uvloop"),
             "µs"),
        more_targets=("bench-raw-os",)),
    in_process(
        "subprocess", "a child with three pipes, from start to reaped",
        "The least of programs is started with its three streams as pipes, read to their ends and reaped, one after "
        "another, in wall time. `large` does it from a process of 1 GiB, which costs whoever forks dearly. The floor "
        "is clone() with shared memory.",
        Case("subprocess", "one after another", (*OURS, "raw", "asyncio", "uvloop", "go"), "µs"),
        Case("subprocess/large", "from a process of 1 GiB", (*OURS, "raw"), "µs"),
        more_targets=("bench-raw-os", "bench-child")),
)
