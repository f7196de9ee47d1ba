"""Echo servers under load: the server on one core, the generator on another."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass

from places import PROGRAMS
from repeats import Unavailable
from subjects import SUBJECTS, go_command, is_rondo, node_command, program, python_command

TIMEOUT = 60


@dataclass(frozen=True)
class Load:
    connections: int
    size: int  # bytes of a message
    depth: int = 1  # requests in flight on each connection
    spin: bool = False  # the generator polls instead of blocking


def raw_uring_arguments(load):
    """The arrangement that is best for this load: what the floor is."""
    if load.size > 16384:
        return ["oneshot", "65536", "0"]
    buffer_bytes = 4096 if load.size * load.depth <= 4096 else 16384
    return ["multishot", str(buffer_bytes), "512" if load.connections <= 256 else "2048"]


def command(subject, port, load):
    if is_rondo(subject):
        return [program("bench-echo"), port, *(["50"] if subject == "rondo-busy-poll" else [])]
    match subject:
        case "raw-uring":
            return [program("bench-raw-uring"), port, *raw_uring_arguments(load)]
        case "raw-uring-spin":
            return [program("bench-raw-uring"), port, *raw_uring_arguments(load), "50"]
        case "raw-epoll":
            return [program("bench-raw-epoll"), port]
        case "asio" | "asio-uring" | "libuv":
            return [program(f"bench-{subject}-echo"), port]
        case "asyncio" | "asyncio-protocol" | "uvloop" | "uvloop-protocol":
            return [*python_command("echo.py", subject), subject, port]
        case "go":
            return [*go_command("echo"), port]
        case "node":
            return [*node_command("echo.js"), port]
    raise Unavailable(f"there is no echo server of {subject}")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def pinned(core):
    return lambda: os.sched_setaffinity(0, {core})


COUNTS_ALLOCATIONS = ("rondo", "rondo-epoll", "raw-uring", "raw-epoll", "asio", "asio-uring", "libuv")


@dataclass(frozen=True)
class Serving:
    port: str
    pid: int
    counter: str  # the file in which it counts its allocations, or ""


@contextlib.contextmanager
def serving(subject, load):
    """A server that listens, on the first core; killed at the end."""
    port = free_port()
    with tempfile.NamedTemporaryFile(prefix="rondo-bench-") as counter:
        variables = {**os.environ, **SUBJECTS[subject].environment}
        counts = subject in COUNTS_ALLOCATIONS
        if counts:
            variables["RONDO_BENCH_COUNTER"] = counter.name
        first_core = min(os.sched_getaffinity(0))
        server = subprocess.Popen(command(subject, port, load), env=variables, preexec_fn=pinned(first_core),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until_listening(server, port)
            yield Serving(port, server.pid, counter.name if counts else "")
        finally:
            server.send_signal(signal.SIGKILL)
            server.wait()


def measure(subject, load, seconds, count_calls=False):
    """The figures of one run: a server of its own, warmed up, under this load."""
    with serving(subject, load) as server:
        arguments = [str(PROGRAMS / "bench-load"), server.port, str(server.pid), str(load.connections), str(load.size),
                     str(load.depth), str(seconds)]
        arguments += ["spin"] * load.spin + ["calls"] * count_calls
        arguments += [f"counter={server.counter}"] if server.counter else []
        done = subprocess.run(arguments, preexec_fn=pinned(max(os.sched_getaffinity(0))), capture_output=True,
                              text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        raise Unavailable((done.stderr.strip().splitlines() or ["the load generator failed"])[-1])
    return json.loads(done.stdout)


def wait_until_listening(server, port):
    """Until the server accepts."""
    for _ in range(400):
        if server.poll() is not None:
            raise Unavailable(f"the server ended with status {server.returncode}")
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        try:
            server.wait(0.02)
        except subprocess.TimeoutExpired:
            pass
    raise Unavailable("does not listen")
