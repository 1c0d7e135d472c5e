"""Slots: what a run must hold before it is dispatched, so that no more than a limit of its kind are open at a time."""

from dataclasses import dataclass

from contracts.ids import derived_id
from shared.domain.decision import Target
from shared.domain.run import Waiting

EXPRESS_RUNS = 8
"""The first so many open runs of an organisation go in front of their lane."""

_PORTIONS = 8
_SMALL = 64


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for `limit` runs; `kind` is what a run waits for that finds none, `label` names it to people."""

    key: str
    kind: Waiting
    label: str
    limit: int


def worth_filling(limit: int, free: int) -> bool:
    """Return whether so much room is free that one looks for runs that wait; a large slot is filled in portions."""
    return free > 0 and (limit < _SMALL or free >= limit // _PORTIONS)


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


def slots_of(organisation: str, agent_key: str, target: Target, own: OwnLimits, queue: QueueLimits) -> tuple[Slot, ...]:
    """Return the slots that a run needs, the narrowest first: who lacks one must not keep others from a wider one."""
    found = []
    if own.per_target is not None:
        key = derived_id("slot", Waiting.TARGET, organisation, agent_key, target.type, target.id)
        found.append(Slot(key, Waiting.TARGET, f"{agent_key} on {target.type} {target.id}"[:300], own.per_target))
    if own.per_agent is not None:
        key = derived_id("slot", Waiting.AGENT, organisation, agent_key)
        found.append(Slot(key, Waiting.AGENT, f"{agent_key} of {organisation}", own.per_agent))
    found.append(Slot(organisation_slot(organisation), Waiting.ORGANISATION, organisation, queue.organisation))
    if queue.server:
        found.append(Slot(derived_id("slot", Waiting.SERVER), Waiting.SERVER, "all runners", queue.server))
    return tuple(found)


def organisation_slot(organisation: str) -> str:
    """Return the key of the slot that every run of an organisation needs."""
    return derived_id("slot", Waiting.ORGANISATION, organisation)


def paused_key(organisation: str, agent_key: str) -> str:
    """Return the key under which runs wait while their Agent is paused."""
    return derived_id("slot", Waiting.PAUSED, organisation, agent_key)
