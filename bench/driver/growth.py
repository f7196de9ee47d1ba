"""The benchmark `growth`: the cost of one operation among more and more."""

import micro
from benchmark import OURS, Benchmark, Case
from echo_server import Load
from idle import raise_limit
from repeats import Unavailable, interleave
from under_load import figures_of

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CONNECTIONS = (10, 100, 1_000, 10_000)
KINDS = {"tasks": "tasks created, run and joined", "timers": "timers armed and cancelled", "items": "items put and got"}


def measure(case, settings, machine):
    _, kind, size = case.name.split("/")
    if kind != "connections":
        return interleave(case.subjects, settings.repeats,
                          lambda subject: micro.run(subject, case.name, "growth", settings.seconds), machine)
    if raise_limit() < int(size) + 200:
        raise Unavailable(f"{size} descriptors are not allowed here")
    return interleave(case.subjects, min(settings.repeats, 3),
                      lambda subject: figures_of(subject, Load(int(size), 64), None, settings), machine)


BENCHMARKS = (
    Benchmark(
        "growth", "cost of one operation among 10³ to 10⁶ tasks, timers, items, and 10 to 10⁴ connections",
        "Nothing of rondo's is meant to grow with the number of tasks, timers or queued items; what grows is the "
        "share of them that the caches do not hold. `connections` is the echo server's CPU time per request.",
        (*(Case(f"growth/{kind}/{size}", f"{title}, {size:,} at a time", OURS)
           for kind, title in KINDS.items() for size in SIZES),
         *(Case(f"growth/connections/{size}", f"a request, {size:,} connections", (*OURS, "raw-epoll"))
           for size in CONNECTIONS)),
        measure, ("bench-growth", "bench-load", "bench-echo", "bench-raw-epoll")),
)
