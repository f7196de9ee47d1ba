"""Who is measured: what it is, how its programs are called, whether it is here, and which version it is."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Callable

from places import BENCH, PROGRAMS, PYTHON
from repeats import Unavailable


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def package_version(package):
    return output_of("dpkg-query", "-W", "-f", "${Version}", package)


@dataclass(frozen=True)
class Subject:
    name: str
    title: str
    ours: bool = False
    packages: tuple = ()  # Debian's
    version: Callable = lambda: ""
    environment: dict = field(default_factory=dict)


def rondo_version():
    return output_of("git", "-C", str(BENCH), "describe", "--always")


SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject("rondo", "rondo on io_uring", ours=True, version=rondo_version, environment={"RONDO_BACKEND": "uring"}),
        Subject("rondo-epoll", "rondo on epoll", ours=True, version=rondo_version,
                environment={"RONDO_BACKEND": "epoll"}),
        Subject("rondo-debug", "rondo on io_uring with RONDO_DEBUG=1", version=rondo_version,
                environment={"RONDO_BACKEND": "uring", "RONDO_DEBUG": "1"}),
        Subject("rondo-busy-poll", "rondo on io_uring with busy_poll of 50 µs", version=rondo_version,
                environment={"RONDO_BACKEND": "uring"}),
        Subject("raw", "by hand, without a library", version=lambda: "clang " + output_of("clang++-19", "-dumpversion")),
        Subject("raw-uring", "io_uring by hand", version=lambda: "liburing " + package_version("liburing-dev")),
        Subject("raw-uring-spin", "io_uring by hand, polling 50 µs before it blocks",
                version=lambda: "liburing " + package_version("liburing-dev")),
        Subject("raw-epoll", "epoll by hand", version=lambda: "Linux " + os.uname().release),
        Subject("asio", "Boost.Asio, awaitable, epoll", packages=("libboost1.81-dev",),
                version=lambda: package_version("libboost1.81-dev")),
        Subject("asio-uring", "Boost.Asio, awaitable, io_uring", packages=("libboost1.81-dev",),
                version=lambda: package_version("libboost1.81-dev")),
        Subject("libuv", "libuv", packages=("libuv1-dev",), version=lambda: package_version("libuv1-dev")),
        Subject("asyncio", "asyncio (streams)", packages=("python3",),
                version=lambda: output_of(PYTHON, "--version")),
        Subject("asyncio-protocol", "asyncio (protocol)", packages=("python3",),
                version=lambda: output_of(PYTHON, "--version")),
        Subject("uvloop", "uvloop (streams)", packages=("python3", "python3-uvloop"),
                version=lambda: package_version("python3-uvloop")),
        Subject("uvloop-protocol", "uvloop (protocol)", packages=("python3", "python3-uvloop"),
                version=lambda: package_version("python3-uvloop")),
        Subject("go", "Go, GOMAXPROCS=1", packages=("golang-go",), environment={"GOMAXPROCS": "1"},
                version=lambda: output_of("go", "version").removeprefix("go version ")),
        Subject("node", "Node.js", packages=("nodejs",), version=lambda: output_of("node", "--version")),
    )
}


def program(name):
    """The path of a program that the build made."""
    path = PROGRAMS / name
    if not path.exists():
        raise Unavailable("was not built: its package is missing")
    return str(path)


def python_command(script, kind):
    if kind.startswith("uvloop"):
        found = subprocess.run([PYTHON, "-c", "import uvloop"], capture_output=True, check=False).returncode == 0
        if not found:
            raise Unavailable("Debian's python3-uvloop is not installed")
    return [PYTHON, str(BENCH / "python" / script)]


def go_command(name):
    """Builds the Go program on first use."""
    compiler = shutil.which("go")
    if not compiler:
        raise Unavailable("Go is not installed")
    binary = PROGRAMS / f"bench-go-{name}"
    source = BENCH / "go" / name / "main.go"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        built = subprocess.run([compiler, "build", "-buildvcs=false", "-o", str(binary), f"./{name}"],
                               cwd=BENCH / "go", capture_output=True, text=True, check=False)
        if built.returncode:
            raise Unavailable("does not compile: " + built.stderr.strip().splitlines()[-1])
    return [str(binary)]


def node_command(script):
    node = shutil.which("node")
    if not node:
        raise Unavailable("Node.js is not installed")
    return [node, str(BENCH / "node" / script)]


def is_ours(name):
    """Whether it is one of the two that everybody is compared with."""
    return SUBJECTS[name].ours


def is_rondo(name):
    """Whether it runs our programs, in whatever mode."""
    return name.startswith("rondo")
