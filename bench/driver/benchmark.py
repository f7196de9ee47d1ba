"""What a benchmark is: cases, each a figure that several subjects are compared by."""

from dataclasses import dataclass, field

OURS = ("rondo", "rondo-epoll")


@dataclass(frozen=True)
class Settings:
    """How long to look."""

    repeats: int
    seconds: float  # of CPU per repeat of a program that measures itself
    load_seconds: float  # of load on a server

    @staticmethod
    def normal():
        return Settings(repeats=5, seconds=0.25, load_seconds=1.5)

    @staticmethod
    def quick():
        return Settings(repeats=3, seconds=0.05, load_seconds=0.4)


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    subjects: tuple
    unit: str = "ns"
    less_is_better: bool = True


@dataclass(frozen=True)
class Benchmark:
    name: str
    summary: str
    how: str  # what is measured and how: a paragraph of the report
    cases: tuple
    measure: object  # measure(case, settings, machine) gives {subject: Series}
    targets: tuple = ()  # of the build
    targets_of_peers: dict = field(default_factory=dict)  # {subject: targets}
