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


Step = Publish | SwitchOff


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
class Script:
    """A whole demo. `inbox` is whose proposals are shown at the end; without it, those of whoever has most.

    `awaits_pulse` says that the end waits until the operating pulse has fired for every member.
    """

    title: str
    steps: tuple[Step, ...]
    inbox: Person | None = None
    pace_seconds: float = 0.0
    awaits_pulse: bool = False

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
