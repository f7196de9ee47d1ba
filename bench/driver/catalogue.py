"""All benchmarks, in the order of the report."""

import compile_time
import growth
import idle
import in_process
import simulation
import under_load

BENCHMARKS = {
    benchmark.name: benchmark
    for module in (under_load, in_process, idle, compile_time, growth, simulation)
    for benchmark in module.BENCHMARKS
}
