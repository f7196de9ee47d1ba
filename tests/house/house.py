"""What the checks of the house share: where things are, what is a source, how a fault is reported and counted."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Lowest first. A floor uses itself and what FLOORS_BELOW says.
FLOORS = ["coro", "loop", "task", "sync", "io"]
FLOORS_BELOW = {floor: set(FLOORS[: i + 1]) for i, floor in enumerate(FLOORS)}
FLOORS_BELOW["http"] = {*FLOORS, "http"}
FLOORS_BELOW["inspect"] = {*FLOORS, "inspect"}
FLOORS_BELOW["sim"] = {*FLOORS, "http", "inspect", "sim"}
FLOORS_BELOW["adapters"] = {*FLOORS, "http", "inspect", "sim", "adapters"}


def sources(*folders):
    """C++ files under these folders of the checkout, in order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp") and path.is_file():
                yield path


def place(path, line=None):
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return f"{shown}:{line}" if line else str(shown)


class Report:
    """Counts files; a file with a fault is a failure. Each fault is one line: place, what is wrong, what to do."""

    def __init__(self):
        self.checked = 0
        self.faulty = set()

    def check(self):
        self.checked += 1

    def fault(self, path, line, text):
        self.faulty.add(path)
        print(f"{place(path, line)}: {text}")

    def finish(self):
        failed = len(self.faulty)
        print(f"{self.checked - failed} passed, {failed} failed")
        sys.exit(1 if failed else 0)
