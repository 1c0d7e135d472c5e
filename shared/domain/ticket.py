"""A ticket as the product's latest event about it told, and what of it is compared with others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

_COMPARED_CHARACTERS = 1_200


@dataclass(frozen=True, slots=True)
class TicketFact:
    """What one event says of a ticket: all its data, `at` this time. An older fact never undoes a newer one."""

    organisation: str
    project: str
    ticket_id: str
    data: Mapping[str, Any]
    is_closed: bool
    event_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """An open ticket as it is compared. `revision` grows with each change; `event_id` is the event of the last one."""

    id: str
    title: str
    description: str
    event_id: str
    opened_at: datetime
    revision: int
    indexed_hash: str | None = None

    @property
    def text(self) -> str:
        """Title and the beginning of the description: what is embedded, shown to a model and remembered as judged."""
        return f"{self.title}\n{self.description}".strip()[:_COMPARED_CHARACTERS]

    @property
    def text_hash(self) -> str:
        """The same for equal texts."""
        return blake2b(self.text.encode(), digest_size=12).hexdigest()


PairKey = tuple[str, str]
"""The ids of two tickets, in their order as texts."""


def pair_of(one: str, other: str) -> PairKey:
    """Return the key of a pair, whichever ticket is named first."""
    return (one, other) if one < other else (other, one)


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two tickets, the hashes of the texts that were judged, and the verdict on them."""

    tickets: PairKey
    hashes: tuple[str, str]
    verdict: str


def age(ticket: Ticket) -> tuple[datetime, list[tuple[int, str]]]:
    """Return what sorts tickets by age, and of one moment as people count them: APO-9 before APO-10."""
    parts = re.split(r"(\d+)", ticket.id)
    return ticket.opened_at, [(int(part), "") if part.isascii() and part.isdigit() else (0, part) for part in parts]
