"""The budget: figures without noise, held against bench/budget.json. `./dev test budget` compares,
`./dev bench budget --accept WHY` writes what has changed, with the reason."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from places import BENCH, PROGRAMS

FILE = BENCH / "budget.json"
PROGRAM = PROGRAMS / "bench-budget"
BACKENDS = ("epoll", "uring")
OPERATIONS = {"await": 10_000, "yield": 10_000, "spawn and join": 10_000, "queue round trip": 10_000,
              "generator step": 10_000, "timer armed and cancelled": 10_000, "pass with a callback": 10_000,
              "cancel ten frames": 100, "echo": 2_000}  # as in bench/budget/main.cpp

# What a figure may be above its budget: a share of it, and a constant. Instructions differ a little between libraries of
# C and C++, the others by how a slab or a batch happens to end.
TOLERANCE = {"instructions": (0.03, 0.5), "bytes": (0.02, 1.0), "allocations": (0.0, 0.0), "system calls": (0.02, 0.02)}


class Broken(Exception):
    """The figures cannot be had."""


def output(command, backend):
    done = subprocess.run(command, env={**os.environ, "RONDO_BACKEND": backend}, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise Broken(f"{' '.join(map(str, command))}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout


def instructions(backend):
    """Instructions of each operation, from callgrind, which the program tells where a scenario begins and ends."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise Broken("valgrind is not installed: ./dev setup")
    with tempfile.TemporaryDirectory(prefix="rondo-budget-") as folder:
        watched = [valgrind, "--tool=callgrind", f"--callgrind-out-file={folder}/out", str(PROGRAM), "operations"]
        output(watched, backend)
        counted = {}
        for dump in Path(folder).glob("out.*"):
            text = dump.read_text(encoding="utf-8", errors="replace")
            scenario = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
            if scenario and total:
                counted[scenario[1]] = int(total[1])
    if set(counted) != set(OPERATIONS):
        raise Broken("callgrind saw other scenarios than bench/driver/budget.py knows, or valgrind's header was not there "
                     f"when bench-budget was compiled; seen: {', '.join(sorted(counted)) or 'none'}")
    return {f"instructions/{name}": round(count / OPERATIONS[name], 1) for name, count in counted.items()}


def current():
    """All figures, and a remark for each kind that cannot be counted here."""
    figures, remarks = {}, []
    for weight in output([str(PROGRAM), "list"], "epoll").splitlines():
        figures.update(json.loads(output([str(PROGRAM), weight], "epoll")))
    for backend in BACKENDS:
        try:
            counted = json.loads(output([str(PROGRAM), "operations"], backend))
        except Broken as reason:
            if backend == "epoll":
                raise
            remarks.append(f"io_uring cannot be had here ({reason}): its figures are not compared")
            continue
        counted.update(instructions(backend))
        figures.update({f"{name} ({backend})": value for name, value in counted.items()})
    if not any(name.startswith("system calls") for name in figures):
        remarks.append("system calls cannot be counted here (no tracefs, or no right to it): they are not compared")
    return figures, remarks


def read():
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def judge(name, now, budget):
    """'grew', 'shrank' or 'kept'."""
    share, constant = TOLERANCE[name.split("/")[0]]
    slack = max(budget * share, constant)
    if now > budget + slack:
        return "grew"
    return "shrank" if now < budget - slack else "kept"


def change(now, budget):
    return f"{now:g}, the budget is {budget:g}" + (f" ({(now - budget) / budget:+.1%})" if budget else "")


def compare():
    """Prints what differs; True when nothing grew."""
    figures, remarks = current()
    budget, failed, passed = read(), 0, 0
    for remark in remarks:
        print(remark)
    for name in sorted({*figures, *budget}):
        if name not in budget:
            failed += 1
            print(f"NEW    {name}: {figures[name]:g}, and has no budget")
        elif name in figures:
            verdict = judge(name, figures[name], budget[name]["value"])
            failed += verdict == "grew"
            passed += verdict != "grew"
            if verdict != "kept":
                print(f"{verdict.upper() if verdict == 'grew' else verdict:6} {name}: "
                      f"{change(figures[name], budget[name]['value'])}, set because: {budget[name]['why']}")
        elif not remarks:
            failed += 1
            print(f"GONE   {name}: has a budget and is not measured any more")
    if failed:
        print("If that is meant, say why, for whoever reads bench/budget.json next: ./dev bench budget --accept 'WHY'")
    print(f"{passed} passed, {failed} failed")
    return failed == 0


def accept(why):
    """Makes the present figures the budget, with the reason where one changed."""
    figures, remarks = current()
    budget = read()
    for name, value in figures.items():
        old = budget.get(name)
        if old is None or judge(name, value, old["value"]) != "kept":
            print(f"{name}: " + (change(value, old["value"]) if old else f"{value:g}"))
            budget[name] = {"value": value, "why": why}
    if not remarks:
        budget = {name: entry for name, entry in budget.items() if name in figures}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(budget[name])}" for name in sorted(budget))
    FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def main(why):
    try:
        if why:
            accept(why)
        elif not compare():
            sys.exit(1)
    except Broken as reason:
        print(f"dev: {reason}", file=sys.stderr)
        print("0 passed, 1 failed")
        sys.exit(1)
