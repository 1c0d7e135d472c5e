"""How many messages an Agent has been counted, in rows of so many. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.behaviour import MessagesTrigger, Per
from contracts.envelope import Event
from contracts.ids import derived_id


class SubjectMissing(Exception):
    """The event does not say for whom it is to be counted; the message names the field."""


@dataclass(frozen=True, slots=True)
class Subject:
    """For whom messages are counted: a user in a project, or in none, or one session of that user."""

    agent_key: str
    organisation: str
    project: str | None
    user: str
    session: str | None

    @property
    def id(self) -> str:
        parts = ("" if part is None else f"={part}" for part in (self.project, self.session))
        return derived_id("cnt", self.agent_key, self.organisation, self.user, *parts)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands: the `number`-th of a row of `count`, and the `total`-th of all."""

    number: int
    count: int
    total: int

    @property
    def is_last(self) -> bool:
        return self.number == self.count

    @property
    def text(self) -> str:
        return f"{self.number} of {self.count}"


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted: `total` messages, of which `keys` are the latest, the oldest first.

    Rows of `count` begin after the first `base`.
    """

    count: int
    base: int
    total: int
    keys: Sequence[str]

    def place(self, key: str) -> Place | None:
        """Return where a message stands; none when it was counted for rows of another length, or long ago."""
        if key not in self.keys:
            return None
        total = self.total - len(self.keys) + self.keys.index(key) + 1
        if total <= self.base:
            return None
        return Place((total - self.base - 1) % self.count + 1, self.count, total)


def subject_of(trigger: MessagesTrigger, agent_key: str, event: Event) -> Subject:
    """Return for whom this event counts, or raise SubjectMissing."""
    if event.userid is None:
        raise SubjectMissing("the event has no userid")
    session = None
    if trigger.per is Per.SESSION:
        session = getattr(event.data, "session_id", None)
        if session is None:
            raise SubjectMissing("the event has no data.session_id")
    return Subject(agent_key, event.organisationid, event.projectid, event.userid, session)


def counted_id(subject: Subject, place: Place) -> str:
    """Return the id of the only event that tells of this full row."""
    return derived_id("msgs", subject.id, str(place.total))
