"""Sessions: chats of a product. While a turn of one is open, nobody else writes into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.ids import derived_id
from shared.domain.words import utc_text

TARGET_TYPE = "session"
"""The type of the target of runs that continue a session; runs of one session go one after the other."""

Document = Mapping[str, Any]

_PREFIX = "ses"


def session_key(organisation: str, session_id: str) -> str:
    """Return the id under which a session is stored, and under which runs wait for its turn to end."""
    return derived_id(_PREFIX, organisation, session_id)


KEYS = {"$gte": f"{_PREFIX}_", "$lt": f"{_PREFIX}`"}
"""Matches the keys of sessions, and no others."""


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """A turn that has begun and not ended; from `until` on it does not count any more."""

    id: str
    since: datetime
    until: datetime

    @property
    def text(self) -> str:
        return f"turn {self.id}, open since {utc_text(self.since)}, at most until {utc_text(self.until)}"


def open_turn(session: Document, now: datetime) -> OpenTurn | None:
    """Return the turn that holds the session at this moment, the one that may last longest."""
    turns = [
        OpenTurn(each["id"], each["since"], each["until"]) for each in session["open_turns"] if each["until"] > now
    ]
    return max(turns, key=lambda turn: turn.until, default=None)
