"""Where things are."""

import os
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
ROOT = BENCH.parent
PROGRAMS = Path(os.environ.get("RONDO_BENCH_PROGRAMS", ROOT / "build" / "release" / "bin"))
PYTHON = "/usr/bin/python3"  # Debian's: the one that python3-uvloop is for
