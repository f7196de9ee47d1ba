"""The benchmarks of an echo server under load."""

import echo_server
from benchmark import OURS, Benchmark, Case
from echo_server import COUNTS_ALLOCATIONS, Load
from repeats import Unavailable, interleave

ALL = (*OURS, "rondo-debug", "raw-uring", "raw-epoll", "libuv", "asio", "asio-uring", "uvloop-protocol", "uvloop",
       "asyncio-protocol", "asyncio", "go", "node")
FAST = (*OURS, "raw-uring", "raw-epoll", "libuv", "asio", "asio-uring", "uvloop-protocol", "asyncio")
TARGETS = ("bench-load", "bench-echo", "bench-raw-uring", "bench-raw-epoll", "bench-libuv-echo", "bench-asio-echo",
           "bench-asio-uring-echo")


def figures_of(subject, load, key, settings):
    """The generator's figures, with the one that is compared as the value."""
    figures = echo_server.measure(subject, load, settings.load_seconds)
    cpu, generator = figures.pop("value"), figures.pop("generator")
    if key is None:
        return {"value": cpu, **figures}
    value = generator if key == "generator" else figures.pop(key)
    return {"value": value, "cpu": cpu, **figures}


def under_load(name, summary, how, loads, keys=None):
    """`loads` has the load of each case; `keys` the figure that is compared, where it is not the server's CPU time."""
    keys = keys or {}

    def measure(case, settings, machine):
        load = loads[case]
        series = interleave(case.subjects, settings.repeats,
                            lambda subject: figures_of(subject, load, keys.get(case.name), settings), machine)
        for subject in (subject for subject in COUNTS_ALLOCATIONS if subject in series and series[subject].values):
            try:
                counted = echo_server.measure(subject, load, settings.load_seconds / 2, count_calls=True)
            except Unavailable:
                continue
            series[subject].extras["system_calls"] = counted.get("system_calls")
        return series

    return Benchmark(name, summary, how, tuple(loads), measure, TARGETS)


BENCHMARKS = (
    under_load(
        "echo", "TCP echo with streams, 100 connections, 64 B and 1 KiB",
        "Every client sends a message and waits for its echo. The figure is the server's CPU time per request, from "
        "schedstat: requests per second would measure the generator, which costs as much as the best servers. "
        "Allocations and system calls are per request too; the latter are counted in a run of their own. `generator` "
        "is what the load generator itself uses for a request: it should not depend on who serves, and its spread is "
        "the least that can be told apart.",
        {Case("echo", "64 bytes, 100 connections", ALL): Load(100, 64),
         Case("echo/1k", "1 KiB, 100 connections", FAST): Load(100, 1024),
         Case("echo/generator", "the load generator's own CPU time per request", (*OURS, "raw-uring", "raw-epoll")):
             Load(100, 64)},
        keys={"echo/generator": "generator"}),
    under_load(
        "echo-1000", "TCP echo with 1,000 connections",
        "As echo, with ten times the connections: what a library keeps for each of them competes for the caches.",
        {Case("echo-1000", "64 bytes, 1,000 connections", ALL): Load(1000, 64)}),
    under_load(
        "pipelined", "TCP echo of 1 KiB, 16 requests in flight on each connection",
        "Sixteen requests are always under way on each of 100 connections, so a receive brings several. The figure is"
        " requests per second; where the generator is close to 100 % busy, it is what limits them.",
        {Case("pipelined", "1 KiB, 16 deep, 100 connections", FAST, "1/s", less_is_better=False): Load(100, 1024, 16)},
        keys={"pipelined": "requests_per_second"}),
    under_load(
        "bulk", "TCP echo of 64 KiB, 100 connections",
        "As echo with messages of 64 KiB, where copying is nearly everything: a small hot buffer beats a large cold "
        "one.",
        {Case("bulk", "64 KiB, 100 connections", FAST): Load(100, 65536)}),
    under_load(
        "latency", "round trip of one connection, the client spinning",
        "One request at a time on one connection; the client polls, so that waking it is no part of the time. The "
        "figure is the median round trip. Most of it is the kernel (and the hypervisor) waking the server's core.",
        {Case("latency", "64 bytes, one connection, p50", (*ALL, "rondo-busy-poll", "raw-uring-spin"), "µs"): Load(1, 64, spin=True)},
        keys={"latency": "p50"}),
)
