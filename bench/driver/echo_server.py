"""Echo servers under load: the server on one core, the generator on another."""

import json
import os
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass

from places import PROGRAMS
from repeats import Unavailable
from subjects import SUBJECTS, go_command, node_command, program, python_command

TIMEOUT = 60


@dataclass(frozen=True)
class Load:
    connections: int
    size: int  # bytes of a message
    depth: int = 1  # requests in flight on each connection
    spin: bool = False  # the generator polls instead of blocking
    warm_up: float = 0.3


def raw_uring_arguments(load):
    """The arrangement that is best for this load: what the floor is."""
    if load.size > 16384:
        return ["oneshot", "65536", "0"]
    buffer_bytes = 4096 if load.size * load.depth <= 4096 else 16384
    return ["multishot", str(buffer_bytes), "512" if load.connections <= 256 else "2048"]


def command(subject, port, load):
    if SUBJECTS[subject].ours:
        return [program("bench-echo"), port]
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


def measure(subject, load, seconds, count_calls=False):
    """The figures of one run: a server of its own, warmed up, under this load."""
    cores = sorted(os.sched_getaffinity(0))
    port = free_port()
    counts = subject.startswith(("rondo", "raw", "asio", "libuv")) and not subject.startswith("asyncio")
    with tempfile.NamedTemporaryFile(prefix="rondo-bench-") as counter:
        variables = {**os.environ, **SUBJECTS[subject].environment}
        if counts:
            variables["RONDO_BENCH_COUNTER"] = counter.name
        server = subprocess.Popen(command(subject, port, load), env=variables, preexec_fn=pinned(cores[0]),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            wait_until_listening(server, port)
            arguments = [str(PROGRAMS / "bench-load"), port, str(server.pid), str(load.connections), str(load.size),
                         str(load.depth), str(seconds)]
            arguments += ["spin"] * load.spin + ["calls"] * count_calls + [f"counter={counter.name}"] * counts
            done = subprocess.run(arguments, preexec_fn=pinned(cores[-1]), capture_output=True, text=True,
                                  timeout=TIMEOUT, check=False)
        finally:
            server.send_signal(signal.SIGKILL)
            complaint = server.communicate()[1].strip().splitlines()
    if done.returncode:
        raise Unavailable((complaint or done.stderr.strip().splitlines() or ["the load generator failed"])[-1])
    return json.loads(done.stdout)


def wait_until_listening(server, port):
    """Until the server accepts; what it says when it ends instead is the reason."""
    for _ in range(400):
        if server.poll() is not None:
            lines = server.communicate()[1].strip().splitlines()
            raise Unavailable(lines[-1] if lines else f"ended with status {server.returncode}")
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        try:
            server.wait(0.02)
        except subprocess.TimeoutExpired:
            pass
    raise Unavailable("does not listen")
