"""All benchmarks, in the order of the report."""

import in_process
import under_load

BENCHMARKS = {benchmark.name: benchmark for benchmark in (*under_load.BENCHMARKS, *in_process.BENCHMARKS)}
