"""Run events in the order in which their stream took them: a place in it, and the latest of them kept at hand."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from contracts.subjects import matches

_BY_SEQUENCE = attrgetter("sequence")


class Position(NamedTuple):
    """A place in the stream: after this sequence of the stream that was created in this millisecond since 1970.

    A stream that was lost and made anew counts from 1 again; the moment of its creation tells the two apart.
    """

    created_ms: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.created_ms}-{self.sequence}"


def position_in(text: str) -> Position | None:
    """Return the position that `str` of one gave; None when it is none."""
    created, _, sequence = text.partition("-")
    if not (_is_number(created) and _is_number(sequence)):
        return None
    return Position(int(created), int(sequence))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


@dataclass(frozen=True, slots=True)
class Told:
    """One fact as the stream holds it: its sequence, its subject, its type, and the CloudEvent as JSON."""

    sequence: int
    subject: str
    type: str
    json: str


@dataclass(slots=True)
class Latest:
    """The latest facts of the stream: all that came after `floor`, up to `head`; at most about `most` of them."""

    created_ms: int
    floor: int
    most: int
    head: int = -1
    _told: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.head = self.floor

    def add(self, told: Sequence[Told], head: int) -> None:
        """Take what came next, in order; `head` is the sequence up to which this is everything."""
        self._told += [each for each in told if each.sequence > self.head]
        self.head = max(self.head, head)
        if len(self._told) > 2 * self.most:
            self.floor = self._told[-self.most - 1].sequence
            del self._told[: -self.most]

    def after(self, sequence: int, pattern: str, most: int) -> tuple[list[Told], int]:
        """Return what follows a sequence, of at most so many facts those under the pattern, and how far that reaches."""
        begin = bisect_right(self._told, sequence, key=_BY_SEQUENCE)
        looked_at = self._told[begin : begin + most]
        is_all = begin + most >= len(self._told)
        reached = self.head if is_all else looked_at[-1].sequence
        return [each for each in looked_at if matches(each.subject, pattern)], reached
