"""Events of one target that one run stands for: how long it waits for more of them. Pure."""

from dataclasses import dataclass

from contracts.agents import EventTrigger
from contracts.ids import derived_id

GATHERED_AT_MOST = 500
"""A run that has taken so many events starts: each of them is remembered with it."""

_USUAL_PATIENCE = 10
"""Without a longest wait of its own, a debounce ends after so many times its seconds."""


@dataclass(frozen=True, slots=True)
class Debounce:
    """A run waits `seconds` after each event for another one, and no longer than `max_wait_seconds` after the first."""

    seconds: int
    max_wait_seconds: int

    @classmethod
    def of(cls, trigger: EventTrigger) -> "Debounce | None":
        """Return what the trigger asks for, if it debounces at all."""
        if not trigger.debounce_seconds:
            return None
        longest = trigger.max_wait_seconds
        return cls(trigger.debounce_seconds, longest or _USUAL_PATIENCE * trigger.debounce_seconds)


def gathering_key(organisation: str, agent_version_id: str, target_type: str, target_id: str) -> str:
    """Return what is the same for all events that may share a run: one version of one Agent works on one target."""
    return derived_id("gat", organisation, agent_version_id, target_type, target_id)
