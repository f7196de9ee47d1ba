"""docs/benchmarks.md: the results between its two markers, everything else in it is written by people."""

import datetime
import os
import re
from pathlib import Path

import svg
from catalogue import BENCHMARKS
from places import ROOT
from subjects import SUBJECTS, is_rondo
from table import COLUMNS, figure, lines
from targets import judged

PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "benchmarks"
BEGIN, END = "<!-- results: written by ./dev bench report -->", "<!-- end of results -->"
FLOORS = ("raw", "raw-uring", "raw-uring-spin", "raw-epoll")


def kind(subject):
    return "ours" if is_rondo(subject) else "floor" if subject in FLOORS else "peer"


def cpu_model():
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    return found[1] if found else os.uname().machine


def machine():
    date = datetime.date.today().isoformat()
    return f"{date}, {cpu_model()}, {os.cpu_count()} cores, Linux {os.uname().release.split('-')[0]}."


def markdown_table(header, body, numbers=()):
    """`numbers`: the columns that are aligned to the right."""
    rule = ["---:" if name in numbers else "---" for name in header]
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *body)]


def case_table(rows):
    header = ["subject", "median", "unit", "spread", "rondo ÷", "epoll ÷", "allocations", "system calls", "remarks"]
    assert len(header) == len(COLUMNS)
    numbers = ("median", "spread", "rondo ÷", "epoll ÷", "allocations", "system calls")
    return markdown_table(header, lines(rows), numbers)


def versions(rows):
    subjects = dict.fromkeys(row.subject for row in rows)
    return markdown_table(["subject", "what it is", "version"],
                          [[name, SUBJECTS[name].title, SUBJECTS[name].version() or "unknown"] for name in subjects])


def losses(rows, cases):
    """Where a peer is better than rondo on io_uring, worst first."""
    found = []
    by_name = {(row.name, row.subject): row for row in rows}
    for row in (row for row in rows if row.subject == "rondo"):
        for other, ratio in row.ratio_to.items():
            behind = ratio if cases[row.name].less_is_better else 1 / ratio
            if kind(other) == "peer" and behind > 1.02:
                found.append((behind, row, by_name[row.name, other]))
    found.sort(key=lambda loss: -loss[0])
    return [[row.name, f"{figure(row.median)} {row.unit}", other.subject, f"{figure(other.median)} {other.unit}",
             f"{behind:.2f}"] for behind, row, other in found]


def growth_plots(rows):
    """One plot for each kind, of rondo on both backends and of what stands beside it."""
    plots = {}
    for row in (row for row in rows if row.name.startswith("growth/")):
        _, what, size = row.name.split("/")
        plots.setdefault(what, {}).setdefault(row.subject, []).append((int(size), row.median))
    for what, series in plots.items():
        across = "connections" if what == "connections" else f"{what} at a time"
        yield f"growth-{what}", svg.lines(f"growth: {what}", "ns", across, series, figure)


def bar_plot(case, rows):
    figures = sorted(((row.subject, kind(row.subject), row.median, row.min, row.max) for row in rows),
                     key=lambda f: f[2] if case.less_is_better else -f[2])
    return svg.bars(f"{case.name}: {case.title}", case.unit, figures, figure)


def section(benchmark, rows, missing):
    out = [f"### {benchmark.name}", "", benchmark.how, ""]
    if benchmark.name == "growth":
        for name, plot in growth_plots(rows):
            (PLOTS / f"{name}.svg").write_text(plot, encoding="utf-8")
            out += [f"![{name}](benchmarks/{name}.svg)", ""]
    for case in benchmark.cases:
        of_case = [row for row in rows if row.name == case.name]
        if not of_case:
            continue
        if benchmark.name != "growth" and len(of_case) > 2:
            name = case.name.replace("/", "-")
            (PLOTS / f"{name}.svg").write_text(bar_plot(case, of_case), encoding="utf-8")
            out += [f"![{case.name}](benchmarks/{name}.svg)", ""]
        out += [f"`{case.name}`: {case.title}", "", *case_table(of_case), ""]
        for subject, reason in missing.get(case.name, {}).items():
            out += [f"{subject} was not measured: {reason}.", ""]
    return out


def results(rows, missing):
    cases = {case.name: case for benchmark in BENCHMARKS.values() for case in benchmark.cases}
    noisy = sum(1 for row in rows if "noisy" in row.extras)
    out = [BEGIN, "", "## Results", "", machine(), ""]
    if noisy:
        out += [f"{noisy} of {len(rows)} figures are marked *noisy*: somebody else used more than 10 % of a core in so "
                "many of their repeats, and the machine did not become quiet in time. Ratios within one table were "
                "measured interleaved and suffer less than the figures themselves.", ""]
    out += [*versions(rows), "", "### Where rondo is behind", ""]
    behind = losses(rows, cases)
    if behind:
        header, numbers = ["case", "rondo", "peer", "its figure", "times"], ("rondo", "its figure", "times")
        out += ["Every case in which a peer does better than rondo on io_uring, the worst first.", "",
                *markdown_table(header, behind, numbers), ""]
    else:
        out += ["In no case of this run does a peer do better than rondo on io_uring.", ""]
    out += ["### Targets", "", "What rondo is held to. Times are of the kind of machine that the targets were set on.", "",
            *markdown_table(["case", "subject", "target", "figure", "reached"], judged(rows), ("figure",)), ""]
    for benchmark in BENCHMARKS.values():
        names = {case.name for case in benchmark.cases}
        if any(row.name in names for row in rows):
            out += section(benchmark, [row for row in rows if row.name in names], missing)
    return "\n".join([*out, END])


def write(rows, missing):
    """`missing`: {case: {subject: reason}}."""
    PLOTS.mkdir(exist_ok=True)
    for old in PLOTS.glob("*.svg"):
        old.unlink()
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + results(rows, missing) + after, encoding="utf-8")
