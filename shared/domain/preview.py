"""What the gate would decide if something were different, found without writing anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import Event
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decide import decide
from shared.domain.decision import RunDecided, Skipped


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A decision, and what would have its run wait: a scope that pauses the Agent, or the Agent's own status."""

    decision: RunDecided | Skipped
    paused_by: ScopeRef | None = None
    waits_because: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What one event would come to for one Agent, before a change and after it."""

    event: Event
    before: Foreseen
    after: Foreseen


def foresee(event: Event, configuration: Configuration, now: datetime) -> list[Foreseen]:
    """Return what the gate would decide now, one entry for each decision."""
    return [_foreseen(event, decision, configuration) for decision in decide(event, configuration, now)]


def _foreseen(event: Event, decision: RunDecided | Skipped, configuration: Configuration) -> Foreseen:
    if not isinstance(decision, RunDecided):
        return Foreseen(decision)
    version = configuration.agent(event.organisationid, decision.agent_key)
    if version is None:
        raise AssertionError("what was decided from this configuration is in it")
    effective = configuration.effective(version.spec, event.organisationid, event.projectid, event.userid)
    return Foreseen(decision, effective.paused_by, effective.waits_because)


def differences(
    events: Iterable[tuple[Event, datetime]], configuration: Configuration, binding: Binding
) -> list[Difference]:
    """Return where the decisions on these events, each at its time, differ once this binding is in force.

    Only the outcome, its reason and the lane count: that another scope says the same makes no difference.
    """
    changed = configuration.copy()
    changed.put_binding(binding)
    return [
        Difference(event, before, after)
        for event, moment in events
        for before, after in zip(foresee(event, configuration, moment), foresee(event, changed, moment), strict=True)
        if _comes_to(before) != _comes_to(after)
    ]


def _comes_to(foreseen: Foreseen) -> tuple[object, ...]:
    decision = foreseen.decision
    if isinstance(decision, RunDecided):
        return decision.lane, foreseen.waits_because is not None
    return (decision.reason,)
