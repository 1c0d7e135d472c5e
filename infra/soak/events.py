"""The events of the load, a fixed mix of what runs do: nothing, a model call, fail, be cancelled. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, cycle
from typing import Any, Final

import orjson

from contracts.agents import AgentSpec, EventTrigger, TargetRule

ORGANISATION: Final = "soak"
REFUSED: Final = "the provider refuses this"
"""The offline model is told to refuse requests with this text."""
_USERS: Final = 20
_TARGET: Final = TargetRule(type="ticket", id="{data.ticket_id}")
_LONG_MS: Final = 20_000

QUICK: Final = AgentSpec(
    key="soak_quick",
    name="Does nothing",
    handler="noop",
    triggers=(EventTrigger(event="ticket.closed", target=_TARGET),),
)
SLOW: Final = AgentSpec(
    key="soak_slow",
    name="Waits until it is cancelled",
    handler="pause",
    triggers=(EventTrigger(event="ticket.changed", target=_TARGET),),
)
AGENTS: Final = (QUICK, SLOW)


class Kind(StrEnum):
    """What becomes of an event's run."""

    QUICK = "quick"
    MODEL = "model"
    FAILS = "fails"
    CANCELLED = "cancelled"


MIX: Final = (
    *(Kind.QUICK,) * 3,
    Kind.MODEL,
    *(Kind.QUICK,) * 3,
    Kind.CANCELLED,
    *(Kind.QUICK,) * 3,
    Kind.MODEL,
    *(Kind.QUICK,) * 3,
    Kind.FAILS,
    *(Kind.QUICK,) * 3,
    Kind.MODEL,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as it is published, with what its run is there for."""

    kind: Kind
    body: bytes


def mixed() -> Iterator[Sent]:
    """Yield events without end, every kind as often as the mix says."""
    for number, kind in zip(count(), cycle(MIX), strict=False):
        yield Sent(kind, orjson.dumps(_event(number, kind)))


def _event(number: int, kind: Kind) -> dict[str, Any]:
    common = {
        "specversion": "1.0",
        "id": f"soak-{number}",
        "source": "/soak",
        "organisationid": ORGANISATION,
        "projectid": "apollo",
        "userid": f"user-{number % _USERS}",
    }
    if kind in {Kind.MODEL, Kind.FAILS}:
        return {**common, "type": "checkin.submitted", "data": _checkin(number, kind)}
    if kind is Kind.QUICK:
        return {**common, "type": "ticket.closed", "data": _ticket(f"T-{number}", "closed")}
    # Open tickets stay for as long as they are open, so there are only so many.
    changed = {**_ticket(f"T-open-{number % _USERS}", "open"), "changed_fields": ["status"]}
    return {**common, "type": "ticket.changed", "pausems": _LONG_MS, "data": changed}


def _ticket(id: str, status: str) -> dict[str, Any]:
    return {"ticket_id": id, "title": "Export stops after the first page", "status": status}


def _checkin(number: int, kind: Kind) -> dict[str, Any]:
    blockers = REFUSED if kind is Kind.FAILS else "The staging key expired on Tuesday and nobody has renewed it."
    return {
        "date": "2026-11-20",
        "yesterday": f"Finished part {number} of the offline cache.",
        "today": f"Start on ticket HARB-{number}. I prefer to do reviews at {number % 12 + 1} o'clock.",
        "blockers": blockers,
        "session_id": f"session-{number}",
    }
