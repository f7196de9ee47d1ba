"""The benchmarks' driver; ./dev bench calls it.

    driver                                  lists the benchmarks
    driver NAME [--quick] [--json FILE]     runs one
    driver report [--quick] [--json FILE]   runs all and writes docs/benchmarks.md
    driver budget [--accept WHY]            compares with bench/budget.json, or changes it
    driver plan ...                         says what such a call needs: `package NAME`, `target NAME`, at last `ready`
"""

import sys
from pathlib import Path

import budget
import report
from arguments import BadArguments, parse
from catalogue import BENCHMARKS
from repeats import Machine, Unavailable
from rows import rows_of, write_json
from subjects import SUBJECTS
from table import render


def list_benchmarks():
    width = max(map(len, BENCHMARKS))
    for benchmark in BENCHMARKS.values():
        print(f"{benchmark.name:{width}}  {benchmark.summary}")


def print_plan(wanted):
    benchmarks = [BENCHMARKS[name] for name in wanted.names if name in BENCHMARKS]
    subjects = {subject for benchmark in benchmarks for case in benchmark.cases for subject in case.subjects}
    packages = {package for subject in subjects for package in SUBJECTS[subject].packages}
    targets = [target for benchmark in benchmarks for target in benchmark.targets]
    if wanted.action == "budget":
        packages, targets = {"valgrind"}, ["bench-budget"]
    for package in sorted(packages):
        print("package", package)
    for target in dict.fromkeys(targets):
        print("target", target)
    print("ready")


def run(names, settings):
    """The rows of these benchmarks, which are printed as they come, and who is missing: {case: {subject: reason}}."""
    machine, all_rows, all_missing = Machine(), [], {}
    for name in names:
        benchmark = BENCHMARKS[name]
        for case in benchmark.cases:
            try:
                series = benchmark.measure(case, settings, machine)
            except Unavailable as reason:
                print(f"{case.name}: not measured, {reason}\n", flush=True)
                continue
            rows, missing = rows_of(case.name, case.unit, series)
            print(render(f"{case.name}: {case.title}", rows, missing), flush=True)
            all_rows += rows
            all_missing[case.name] = missing
    return all_rows, all_missing


def main():
    try:
        wanted = parse(sys.argv[1:], BENCHMARKS)
    except BadArguments as error:
        print(f"dev: {error}", file=sys.stderr)
        sys.exit(2)
    if wanted.action == "list":
        list_benchmarks()
    elif wanted.planning:
        print_plan(wanted)
    elif wanted.action == "budget":
        budget.main(wanted.accept)
    else:
        rows, missing = run(wanted.names, wanted.settings)
        if wanted.action == "report":
            report.write(rows, missing)
        if wanted.json:
            write_json(Path(wanted.json), rows)
        sys.exit(0 if any(SUBJECTS[row.subject].ours for row in rows) else 1)


main()
