"""What a demo plays: the requests that products and people send to the gateway, in their order."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from contracts.agents import Scope
from contracts.envelope import Event
from contracts.members import MemberJoined

LARGEST_BATCH = 20

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Publish:
    """One request of a product: one event, or a batch."""

    organisation: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class SwitchOff:
    """One request of a person, who has these roles: an Agent shall not work at this scope."""

    time: datetime
    organisation: str
    user: str
    agent_key: str
    scope: Scope
    scope_id: str
    roles: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """One request of an admin: an Agent shall be due every so many seconds at this scope."""

    time: datetime
    organisation: str
    user: str
    agent_key: str
    scope: Scope
    scope_id: str
    every_seconds: int
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Approve:
    """One request of a person: what is proposed for this field of his memory is right, as soon as it is there."""

    time: datetime
    organisation: str
    user: str
    block_label: str
    field: str


Step = Publish | SwitchOff | Schedule | Approve


@dataclass(frozen=True, slots=True)
class Edit:
    """What the owner of the inbox writes into a field of his memory at the end, while a proposal for it waits."""

    block_label: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """A user of an organisation."""

    organisation: str
    user: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A user in a project: whom a schedule serves."""

    organisation: str
    project: str
    user: str


@dataclass(frozen=True, slots=True)
class Due:
    """A fire that a demo waits for: of this Agent, in this project, for this user; empty when it is for all of them."""

    agent_key: str
    organisation: str
    project: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A whole demo. `inbox` is whose proposals are shown at the end; without it, those of whoever has most.

    `edit` makes one of them stale, `session` is a chat of the same person that a job continued, `coached` is whose
    latest check-in was answered with what a document says, and `due` are the fires that the end waits for.
    """

    title: str
    steps: tuple[Step, ...]
    inbox: Person | None = None
    pace_seconds: float = 0.0
    edit: Edit | None = None
    session: str | None = None
    coached: Person | None = None
    due: frozenset[Due] = frozenset()

    @property
    def events(self) -> Iterator[Event]:
        """Every event in the order in which it is sent; one that is sent twice comes twice."""
        return (event for step in self.steps if isinstance(step, Publish) for event in step.events)

    @property
    def size(self) -> int:
        """How many different events there are."""
        return len({event.key for event in self.events})

    @property
    def organisations(self) -> tuple[str, ...]:
        """The organisations that take part."""
        return tuple(dict.fromkeys(step.organisation for step in self.steps))

    @property
    def people(self) -> tuple[Person, ...]:
        """The users whom events name."""
        named = (Person(event.organisationid, event.userid) for event in self.events if event.userid is not None)
        return tuple(dict.fromkeys(named))

    @property
    def projects(self) -> tuple[tuple[str, str], ...]:
        """The projects that events name, each with its organisation."""
        named = ((event.organisationid, event.projectid) for event in self.events if event.projectid is not None)
        return tuple(dict.fromkeys(named))

    @property
    def members(self) -> frozenset[Membership]:
        """Who joins a project."""
        return frozenset(
            Membership(event.organisationid, event.projectid, event.userid)
            for event in self.events
            if isinstance(event, MemberJoined) and event.projectid is not None
        )


def batches(items: Iterable[Item], key: Callable[[Item], Hashable], most: int = LARGEST_BATCH) -> Iterator[list[Item]]:
    """Yield neighbours with equal keys together, at most `most` of them at once."""
    for _, group in groupby(items, key):
        equal = list(group)
        for start in range(0, len(equal), most):
            yield equal[start : start + most]
