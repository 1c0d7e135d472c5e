"""A case: what an Agent is given, and what must and must not come of it. Written by people, as TOML."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.agents import AgentKey, EffectKind, MemoryOwner
from infra.local.processes import ROOT

FOLDER = ROOT / "tests" / "evals"
"""A folder for each Agent, with any number of files."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _checked(expression: str) -> str:
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"'{expression}' is no regular expression: {error}") from None
    return expression


class Pattern(_Model):
    """What a proposal or a part of the answer looks like; what is left out may be anything.

    `kind` is that of a proposal, `in` names a field of the answer or of a proposal; without either any proposal is meant.
    `where` names fields of the proposal's change or of the part, a list having to hold all that it lists. `says` is a
    regular expression that is looked for in its texts, whatever their case.
    """

    kind: EffectKind | None = None
    inside: str | None = Field(default=None, alias="in")
    where: dict[str, Any] = {}
    says: Annotated[str, AfterValidator(_checked)] | None = None

    def __str__(self) -> str:
        what = self.kind.value if self.kind else self.inside or "a proposal"
        fields = ", ".join(f"{name} {value!r}" for name, value in self.where.items())
        return " ".join(
            filter(None, (what, f"with {fields}" if fields else "", f"saying /{self.says}/" if self.says else ""))
        )


class Block(_Model):
    """A memory block of the user or of the project of the case."""

    owner: MemoryOwner
    label: str
    fields: dict[str, str]


class Earlier(_Model):
    """An event that was accepted so many hours before; without a `user` it is the case's own who caused it."""

    type: str
    hours_ago: float = Field(gt=0)
    data: dict[str, Any]
    user: str | None = None


class Ticket(_Model):
    """A ticket of the project as it stands, the later ones in a file being the younger ones."""

    id: str
    title: str
    description: str = ""
    status: str = "open"
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    closed: bool = False


class World(_Model):
    """What there is besides the event."""

    memory: tuple[Block, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    earlier: tuple[Earlier, ...] = ()

    def plus(self, other: "World") -> "World":
        """Return both together; a memory block or a ticket of the other replaces the one of the same name."""
        blocks = {(block.owner, block.label): block for block in (*self.memory, *other.memory)}
        tickets = {ticket.id: ticket for ticket in (*self.tickets, *other.tickets)}
        return World(
            memory=tuple(blocks.values()), tickets=tuple(tickets.values()), earlier=(*self.earlier, *other.earlier)
        )


class Case(World):
    """One case. An empty `project` or `user` is none.

    `most` bounds how many proposals of a kind, or parts of a list, there may be; `nothing` forbids all proposals but what
    is only said in a session. `may` names proposals that are neither asked for nor wrong; every other one counts against the precision.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9\-]{2,60}$")
    about: str
    event: str | None = None
    data: dict[str, Any] = {}
    project: str = "apollo"
    user: str = "ada"
    must: tuple[Pattern, ...] = ()
    must_not: tuple[Pattern, ...] = ()
    may: tuple[Pattern, ...] = ()
    most: dict[str, int] = {}
    nothing: bool = False


class CaseFile(_Model):
    """Cases of one Agent; what `event`, `data`, `may` and `shared` say holds for each of them, beside what it says itself."""

    agent: AgentKey
    event: str
    data: dict[str, Any] = {}
    may: tuple[Pattern, ...] = ()
    shared: World = World()
    case: tuple[Case, ...]

    def cases(self) -> Iterator[Case]:
        """Yield each case with all that it has."""
        for case in self.case:
            world = self.shared.plus(World(memory=case.memory, tickets=case.tickets, earlier=case.earlier))
            event = {"event": case.event or self.event, "data": self.data | case.data}
            yield case.model_copy(update={**event, **dict(world), "may": (*self.may, *case.may)})


def load(path: Path) -> CaseFile:
    """Return a file; raises ValueError with the file and the field that is wrong."""
    try:
        return CaseFile.model_validate(tomllib.loads(path.read_text()))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def load_all(folder: Path = FOLDER) -> dict[str, tuple[Case, ...]]:
    """Return the cases of every Agent, by its key; raises ValueError for an id that an Agent has twice."""
    found: dict[str, list[Case]] = {}
    for path in sorted(folder.glob("*/*.toml")):
        file = load(path)
        found.setdefault(file.agent, []).extend(file.cases())
    for agent, cases in found.items():
        twice = [case for case, times in Counter(case.id for case in cases).items() if times > 1]
        if twice:
            raise ValueError(f"Cases of {agent} have the same id: {', '.join(twice)}. Give each one of its own.")
    return {agent: tuple(cases) for agent, cases in found.items()}
