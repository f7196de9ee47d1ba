"""What rondo is held to, as the report shows it."""

from dataclasses import dataclass

from table import figure


@dataclass(frozen=True)
class Target:
    case: str
    most: float  # or, for what is the better the larger, the least
    of: str = ""  # times the figure of this subject; "": the figure itself
    subject: str = "rondo"
    key: str = "median"  # or one of the extras
    at_least: bool = False


TARGETS = (
    Target("echo", 1.05, of="raw-uring"),
    Target("echo", 0.08, key="system_calls"),
    Target("echo", 0, key="allocations"),
    Target("echo", 1.03, of="raw-epoll", subject="rondo-epoll"),
    Target("echo/1k", 1.05, of="raw-uring"),
    Target("echo-1000", 1.05, of="raw-uring"),
    Target("pipelined", 0.93, of="raw-uring", at_least=True),
    Target("bulk", 1.04, of="raw-epoll"),
    Target("latency", 1.0, of="raw-uring"),
    Target("latency", 0.32, of="raw-uring", subject="rondo-busy-poll"),
    Target("await", 9),
    Target("yield", 5),
    Target("spawn", 20),
    Target("spawn", 2, of="rondo", subject="rondo-debug"),
    Target("queue", 16),
    Target("generator", 3),
    Target("sleepers", 160),
    Target("timers/arm", 10),
    Target("timers/fire", 120),
    Target("timers/cancel", 20),
    Target("timers/rearm", 10),
    Target("threadsafe", 60),
    Target("threadsafe/asleep", 1.05, of="raw"),
    Target("subprocess", 1.05, of="raw"),
    Target("subprocess/large", 1.05, of="raw"),
    Target("pass", 30),
    Target("cancel", 10_000),
    Target("cancel/ten-that-catch", 10_000),
    Target("cancel/ten-timeouts", 1.2, of="cancel"),
    Target("compile", 1.0),
    Target("compile", 0.5, of="asio"),
    Target("idle-connections", 400),
    *(Target(f"growth/{kind}/1000000", 1.5, of=f"growth/{kind}/1000") for kind in ("tasks", "timers", "items")),
)


def judged(rows):
    """Lines of a table: case, subject, target, figure, reached."""
    found = {(row.name, row.subject): row for row in rows}
    for target in TARGETS:
        row = found.get((target.case, target.subject))
        # `of` is a subject in the same case, or the same subject in another case.
        other = found.get((target.case, target.of)) or found.get((target.of, target.subject))
        if not row or (target.of and not other):
            continue
        value = row.median if target.key == "median" else row.extras.get(target.key)
        if value is None:
            continue
        unit = row.unit if target.key == "median" else target.key.replace("_", " ")
        if target.of:
            value, unit = value / other.median, f"× {target.of}"
        reached = value >= target.most if target.at_least else value <= target.most
        yield [target.case, target.subject, f"{'≥' if target.at_least else '≤'} {figure(target.most)} {unit}",
               f"{figure(value)} {unit}", "yes" if reached else "no"]
