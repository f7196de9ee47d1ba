"""The benchmark `compile`: what a user's hello world costs the compiler."""

import os
import resource
import shutil
import subprocess

from benchmark import Benchmark, Case
from places import BENCH, ROOT
from repeats import Unavailable, interleave

COMPILER = "clang++-19"


def compile_once(subject):
    """CPU seconds of one compilation without optimisation; no cache, nothing kept."""
    if not shutil.which(COMPILER):
        raise Unavailable(f"{COMPILER} is not installed")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([COMPILER, "-std=c++20", "-O0", "-w", "-I", str(ROOT / "include"), "-c", "-o", os.devnull,
                           str(BENCH / "compile" / f"{subject}.cpp")], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise Unavailable(next((line for line in done.stderr.splitlines() if "error" in line), "does not compile"))
    return {"value": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


BENCHMARKS = (
    Benchmark(
        "compile", "compiling #include <rondo/rondo.hpp> and a hello world",
        "CPU time of clang 19 at -O0 for a coroutine that sleeps a millisecond and says hello. The floor is a hello "
        "world that includes the standard headers that both need.",
        (Case("compile", "clang 19, -O0", ("rondo", "raw", "asio"), "s"),),
        lambda case, settings, machine: interleave(case.subjects, settings.repeats, compile_once, machine)),
)
