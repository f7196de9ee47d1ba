"""The benchmark `idle-connections`: memory of an echo server for connections that say nothing."""

import json
import resource
import subprocess

from benchmark import OURS, Benchmark, Case, Settings
from echo_server import Load, serving
from places import PROGRAMS
from repeats import Unavailable, interleave

WANTED = 100_000
SPARE = 200  # descriptors that a process has anyway


def raise_limit():
    """As many descriptors as wanted, or as may be had."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (WANTED + SPARE, max(hard, WANTED + SPARE)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connections(settings):
    wanted = WANTED if settings == Settings.normal() else 10_000
    return min(wanted, raise_limit() - SPARE)


def once(subject, settings):
    with serving(subject, Load(1, 1)) as server:
        done = subprocess.run([str(PROGRAMS / "bench-idle"), server.port, str(server.pid), str(connections(settings))],
                              capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise Unavailable((done.stderr.strip().splitlines() or ["the connections failed"])[-1])
    return json.loads(done.stdout)


BENCHMARKS = (
    Benchmark(
        "idle-connections", "memory of 100,000 idle connections",
        "Connections that have had one byte echoed and then say nothing; by how much the resident set of the server "
        "grows for each. The kernel's own memory is not in it. As many as the limit of open descriptors allows, at "
        "most 100,000.",
        (Case("idle-connections", "resident bytes of each",
              (*OURS, "raw-epoll", "libuv", "asio", "asio-uring", "uvloop", "asyncio", "go", "node"), "B"),),
        lambda case, settings, machine: interleave(case.subjects, min(settings.repeats, 3),
                                                   lambda subject: once(subject, settings), machine),
        ("bench-idle", "bench-echo", "bench-raw-epoll", "bench-libuv-echo", "bench-asio-echo", "bench-asio-uring-echo")),
)
