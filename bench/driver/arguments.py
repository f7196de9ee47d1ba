"""What ./dev bench is asked for."""

from dataclasses import dataclass, field
from pathlib import Path

from benchmark import Settings


class BadArguments(Exception):
    """One line for whoever typed them."""


@dataclass
class Wanted:
    action: str  # list, plan, run or report
    names: list = field(default_factory=list)
    settings: Settings = field(default_factory=Settings.normal)
    json: str = ""


def parse(arguments, known):
    """`plan` in front asks what a call with the rest would need."""
    planning = arguments[:1] == ["plan"]
    rest = arguments[1:] if planning else list(arguments)
    wanted = Wanted("list")
    while rest:
        word = rest.pop(0)
        if word == "--json":
            if not rest:
                raise BadArguments("--json needs a file")
            wanted.json = rest.pop(0)
            if not Path(wanted.json).resolve().parent.is_dir():
                raise BadArguments(f"--json: there is no folder {Path(wanted.json).parent}")
        elif word == "--quick":
            wanted.settings = Settings.quick()
        elif word.startswith("-"):
            raise BadArguments(f"unknown option '{word}' of bench; there are: --json FILE, --quick")
        elif wanted.names:
            raise BadArguments(f"bench takes one name, not '{wanted.names[0]}' and '{word}'")
        elif word != "report" and word not in known:
            raise BadArguments(f"no benchmark '{word}'; there are: {', '.join(known)}, and report")
        else:
            wanted.names = [word]
    if wanted.names:
        wanted.action = "report" if wanted.names == ["report"] else "run"
    elif wanted.json or wanted.settings != Settings.normal():
        raise BadArguments("say which benchmark; './dev bench' lists them")
    if wanted.action == "report":
        wanted.names = list(known)
    if planning and wanted.action != "list":
        wanted.action = "plan"
    return wanted
