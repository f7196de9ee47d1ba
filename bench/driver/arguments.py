"""What ./dev bench is asked for."""

from dataclasses import dataclass, field
from pathlib import Path

from benchmark import Settings


class BadArguments(Exception):
    """One line for whoever typed them."""


@dataclass
class Wanted:
    action: str  # list, plan, run, report or budget
    names: list = field(default_factory=list)
    settings: Settings = field(default_factory=Settings.normal)
    json: str = ""
    planning: bool = False  # only say what is needed
    accept: str = ""  # why the budget changes

ACTIONS = ("report", "budget")


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
        elif word == "--accept":
            if not rest or not rest[0].strip():
                raise BadArguments("--accept needs the reason why the budget changes")
            wanted.accept = rest.pop(0)
        elif word.startswith("-"):
            raise BadArguments(f"unknown option '{word}' of bench; there are: --json FILE, --quick, --accept WHY")
        elif wanted.names:
            raise BadArguments(f"bench takes one name, not '{wanted.names[0]}' and '{word}'")
        elif word not in (*ACTIONS, *known):
            raise BadArguments(f"no benchmark '{word}'; there are: {', '.join(known)}, report and budget")
        else:
            wanted.names = [word]
    if wanted.names:
        wanted.action = wanted.names[0] if wanted.names[0] in ACTIONS else "run"
    elif rest or arguments[planning:]:
        raise BadArguments("say which benchmark; './dev bench' lists them")
    if wanted.accept and wanted.action != "budget":
        raise BadArguments("--accept belongs to './dev bench budget'")
    if wanted.json and wanted.action == "budget":
        raise BadArguments("budget writes no --json; its figures are in bench/budget.json")
    if wanted.action == "report":
        wanted.names = list(known)
    wanted.planning = planning
    return wanted
