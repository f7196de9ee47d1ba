"""The benchmarks' driver; ./dev bench calls it.

    driver                        lists the benchmarks
    driver plan NAME...           says what must be there: lines `package NAME` and `target NAME`
    driver run NAME [--quick] [--json FILE]
"""

import sys
from pathlib import Path

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


def print_plan(names):
    benchmarks = [BENCHMARKS[name] for name in names]
    subjects = {subject for benchmark in benchmarks for case in benchmark.cases for subject in case.subjects}
    for package in sorted({package for subject in subjects for package in SUBJECTS[subject].packages}):
        print("package", package)
    for target in dict.fromkeys(target for benchmark in benchmarks for target in benchmark.targets):
        print("target", target)


def run(names, settings):
    """The rows of these benchmarks, which are printed as they come."""
    machine, all_rows = Machine(), []
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
    return all_rows


def main():
    try:
        wanted = parse(sys.argv[1:], BENCHMARKS)
    except BadArguments as error:
        print(f"dev: {error}", file=sys.stderr)
        sys.exit(2)
    if wanted.action == "list":
        list_benchmarks()
    elif wanted.action == "plan":
        print_plan(wanted.names)
    else:
        rows = run(wanted.names, wanted.settings)
        if wanted.json:
            write_json(Path(wanted.json), rows)
        sys.exit(0 if any(SUBJECTS[row.subject].ours for row in rows) else 1)


main()
