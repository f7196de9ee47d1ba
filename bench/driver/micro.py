"""Programs that measure themselves: one process, one case, one line of JSON."""

import json
import os
import subprocess

from places import PROGRAMS
from repeats import Unavailable
from subjects import SUBJECTS, go_command, is_rondo, node_command, program, python_command

TIMEOUT = 300


def command(subject, case, ours_program):
    """How `subject` runs `case`."""
    if is_rondo(subject):
        return [program(f"bench-{ours_program}"), case]
    match subject:
        case "raw":
            of_the_kernel = case.startswith(("threadsafe", "subprocess"))
            return [program("bench-raw-os" if of_the_kernel else "bench-raw-micro"), case]
        case "asio" | "libuv":
            return [program(f"bench-{subject}-micro"), case]
        case "asyncio" | "uvloop":
            return [*python_command("micro.py", subject), subject, case]
        case "go":
            return [*go_command("micro"), case]
        case "node":
            return [*node_command("micro.js"), case]
    raise Unavailable(f"there is no program of {subject} for {case}")


def run(subject, case, ours_program, seconds, environment=None):
    """The figures of one process."""
    arguments = [*command(subject, case, ours_program), str(seconds)]
    variables = {**os.environ, "RONDO_BENCH_CHILD": str(PROGRAMS / "bench-child"), **SUBJECTS[subject].environment,
                 **(environment or {})}
    try:
        done = subprocess.run(arguments, env=variables, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"did not end within {TIMEOUT} s") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        raise Unavailable(lines[-1])
    figures = json.loads(done.stdout)
    figures.pop("operations", None)
    return figures


def count_system_calls(subject, case, ours_program, seconds):
    """System calls per operation; a run of its own, because counting slows them down."""
    if subject not in ("rondo", "rondo-epoll", "raw", "asio", "libuv"):
        return None
    return run(subject, case, ours_program, seconds, {"RONDO_BENCH_COUNT_CALLS": "1"}).get("system_calls")
