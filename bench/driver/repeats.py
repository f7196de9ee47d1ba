"""Repeats, interleaved: A B C A B C ..., so that what changes in the machine meanwhile changes for everybody."""

import statistics
import sys
from dataclasses import dataclass, field

from interference import Watch

PATIENCE = 3  # a repeat that was disturbed is made again so often
RESIGNATION = 8  # after so many disturbed ones in a row the machine is what it is


class Unavailable(Exception):
    """A subject that cannot be measured here; says why."""


@dataclass
class Series:
    """What one subject gave."""

    values: list = field(default_factory=list)
    extras: dict = field(default_factory=dict)  # figures of the last repeat beside the value
    noisy: int = 0
    missing: str = ""

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def spread(self):
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0


class Machine:
    """Remembers how often a measurement was disturbed, to stop asking for quiet where there is none."""

    def __init__(self):
        self._disturbed_in_a_row = 0

    def undisturbed(self, measure):
        """The figures of measure(), and whether they are noisy all the same."""
        for attempt in range(PATIENCE):
            with Watch() as watch:
                figures = measure()
            if not watch.disturbed:
                self._disturbed_in_a_row = 0
                return figures, False
            self._disturbed_in_a_row += 1
            if self._disturbed_in_a_row >= RESIGNATION:
                break
        return figures, True


def interleave(subjects, repeats, measure, machine):
    """measure(subject) gives a dict with "value"; a subject that is unavailable is left out from then on."""
    series = {subject: Series() for subject in subjects}
    for number in range(repeats):
        for subject in subjects:
            one = series[subject]
            if one.missing:
                continue
            progress(f"{subject}, repeat {number + 1} of {repeats}")
            try:
                figures, noisy = machine.undisturbed(lambda s=subject: measure(s))
            except Unavailable as reason:
                one.missing = str(reason)
                continue
            one.values.append(figures.pop("value"))
            one.extras.update(figures)
            one.noisy += noisy
    progress("")
    return series


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
