"""All benchmarks, in the order of the report."""

import in_process

BENCHMARKS = {benchmark.name: benchmark for benchmark in in_process.BENCHMARKS}
