"""Dead letters: what could not be handled, kept until a person decides. Pure."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from contracts.ids import derived_id


class DeadLetterKind(StrEnum):
    """What died: an event that the gate cannot handle, or a run that failed."""

    EVENT = "event"
    RUN = "run"


class DeadLetterStatus(StrEnum):
    """`open` waits for a decision; the same thing happening again opens a decided letter once more."""

    OPEN = "open"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One thing that died, as it is kept.

    `subject` and `payload` are those of a message. `is_accepted` says that the event is stored, and waits there for a
    decision of the gate; a message that is not stored anywhere else is published again by a redrive. `generation` says
    how often the run had been redriven when it failed.
    """

    id: str
    kind: DeadLetterKind
    code: str
    reason: str
    at: datetime
    subject: str | None = None
    payload: bytes | None = None
    event_key: str | None = None
    is_accepted: bool = False
    run_id: str | None = None
    generation: int = 0
    organisation: str | None = None
    agent_key: str | None = None


def message_letter_id(subject: str, payload: bytes) -> str:
    """Return the id of the letter of a message that is no event: the same message, sent again, is the same letter."""
    return derived_id("dead", subject, base64.b64encode(payload).decode())


def event_letter_id(event_key: str) -> str:
    """Return the id of the letter of an accepted event."""
    return derived_id("dead", event_key)


def letters_of_failures(runs: Iterable[Mapping[str, Any]]) -> list[DeadLetter]:
    """Return the letters of those of the finished runs that failed; a run has one letter however often it fails.

    A replay has none: that it failed is what it was to find out.
    """
    return [_letter_of(run) for run in runs if run["status"] == "failed" and run.get("replay") is None]


def _letter_of(run: Mapping[str, Any]) -> DeadLetter:
    error = run["error"]
    return DeadLetter(
        id=run["_id"],
        kind=DeadLetterKind.RUN,
        code=error["code"],
        reason=error["detail"],
        at=run["finished_at"],
        event_key=run["event_key"],
        run_id=run["_id"],
        generation=run.get("redriven", 0),
        organisation=run["organisation"],
        agent_key=run["agent_key"],
    )
