"""Slots: what a run must hold before it is dispatched, so that no more than a limit of its kind are open at a time."""

from dataclasses import dataclass
from functools import lru_cache

from contracts.ids import derived_id
from contracts.lanes import Lane
from shared.domain.decision import Target
from shared.domain.run import Waiting
from shared.domain.session import TARGET_TYPE

EXPRESS_RUNS = 8
"""The first so many open runs of an organisation go in front of their lane."""

CRITICAL_RESERVE = 64
"""So many open runs more may an organisation have when they are critical, so that they need not wait for others."""

LARGE = 64
"""Slots of this limit and above are freed and filled many places together."""

_PORTIONS = 8


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for `limit` runs; `kind` is what a run waits for that finds none, `label` names it to people.

    `reserve` is the part of the room that is not for the run that looks for a place.
    """

    key: str
    kind: Waiting
    label: str
    limit: int
    reserve: int = 0


def _usual(kind: Waiting, limit: int) -> int:
    """Return how much of a slot's room is there for every run."""
    return limit - CRITICAL_RESERVE if kind is Waiting.ORGANISATION else limit


def is_large(kind: Waiting, limit: int) -> bool:
    """Return whether a slot is filled many places together, by those who free them."""
    return _usual(kind, limit) >= LARGE


def room_to_fill(kind: Waiting, limit: int, holders: int) -> int:
    """Return for how many waiting runs there is room; a large slot is filled in portions, so that it is none at first."""
    usual = _usual(kind, limit)
    free = usual - holders
    return free if free > 0 and (not is_large(kind, limit) or free >= usual // _PORTIONS) else 0


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """What the installation allows: open runs of one organisation, and runs at a time in all (0: no limit)."""

    organisation: int
    server: int = 0


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """What a run's Agent version allows at a time, for its target and for itself in one organisation."""

    per_target: int | None = None
    per_agent: int | None = None


def slots_of(
    organisation: str, agent_key: str, target: Target, lane: Lane, own: OwnLimits, queue: QueueLimits
) -> tuple[Slot, ...]:
    """Return the slots that a run needs, the narrowest first: who lacks one must not keep others from a wider one."""
    found = []
    if target.type == TARGET_TYPE:
        # Only one at a time works on a session, whoever it is.
        key = derived_id("slot", Waiting.TARGET, organisation, target.type, target.id)
        found.append(Slot(key, Waiting.TARGET, f"{target.type} {target.id}"[:300], 1))
    elif own.per_target is not None:
        key = derived_id("slot", Waiting.TARGET, organisation, agent_key, target.type, target.id)
        found.append(Slot(key, Waiting.TARGET, f"{agent_key} on {target.type} {target.id}"[:300], own.per_target))
    if own.per_agent is not None:
        key = derived_id("slot", Waiting.AGENT, organisation, agent_key)
        found.append(Slot(key, Waiting.AGENT, f"{agent_key} of {organisation}", own.per_agent))
    found.append(_turn(organisation, lane, queue.organisation))
    if queue.server:
        found.append(Slot(derived_id("slot", Waiting.SERVER), Waiting.SERVER, "all runners", queue.server))
    return tuple(found)


def _turn(organisation: str, lane: Lane, limit: int) -> Slot:
    reserve = 0 if lane is Lane.CRITICAL else CRITICAL_RESERVE
    return Slot(organisation_slot(organisation), Waiting.ORGANISATION, organisation, limit + CRITICAL_RESERVE, reserve)


@lru_cache(maxsize=4_096)
def organisation_slot(organisation: str) -> str:
    """Return the key of the slot that every run of an organisation needs."""
    return derived_id("slot", Waiting.ORGANISATION, organisation)


def paused_key(organisation: str, agent_key: str) -> str:
    """Return the key under which runs wait while their Agent is paused."""
    return derived_id("slot", Waiting.PAUSED, organisation, agent_key)
