"""The benchmark `sim`: how many simulated schedules and steps a core runs in a second."""

import json
import subprocess

from benchmark import Benchmark, Case
from repeats import Unavailable, interleave
from subjects import program


def once(case, settings):
    """bench-sim is a Google Benchmark program; its benchmarks have the names of the cases and count items."""
    done = subprocess.run([program("bench-sim"), f"--benchmark_filter=^{case.name}$", "--benchmark_format=json",
                           f"--benchmark_min_time={settings.seconds}"], capture_output=True, text=True, check=False)
    runs = json.loads(done.stdout or "{}").get("benchmarks", []) if done.returncode == 0 else []
    if not runs:
        raise Unavailable(f"bench-sim has no benchmark {case.name}")
    if runs[0].get("error_occurred"):
        raise Unavailable(runs[0].get("error_message", "a simulated run failed"))
    return {"value": runs[0]["items_per_second"]}


BENCHMARKS = (
    Benchmark(
        "sim", "simulated schedules and steps in a second",
        "A schedule is a whole run of a program of eight tasks that share a lock and a queue, again and again with other "
        "choices. A step is a turn of one of a thousand simulated tasks that do nothing but yield.",
        (Case("schedules_per_second", "whole runs of eight tasks", ("rondo",), "1/s", less_is_better=False),
         Case("steps_per_second", "turns of a thousand tasks", ("rondo",), "1/s", less_is_better=False)),
        lambda case, settings, machine: interleave(case.subjects, settings.repeats, lambda _: once(case, settings),
                                                   machine),
        ("bench-sim",)),
)
