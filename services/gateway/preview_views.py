"""What the API shows of what would happen."""

from typing import Any, Literal

from services.gateway.effective_views import scope_view
from services.gateway.views import ScopeView, TargetView, View
from shared.domain.decision import RunDecided, explanation, named
from shared.domain.preview import Difference, Foreseen


class ForeseenView(View):
    """What an Agent would do. `waits`: its run would be queued, and wait until no binding pauses the Agent any more."""

    agent_key: str
    agent_version: int
    outcome: Literal["run", "waits", "skipped"]
    reason: str
    decided_by: ScopeView | None
    target: TargetView | None
    priority_level: str | None
    explanation: str


class DifferenceView(View):
    """What one event would come to for one Agent, before a change of binding and after it."""

    event_id: str
    event_type: str
    project: str | None
    user: str | None
    before: ForeseenView
    after: ForeseenView


class PreviewAnswer(View):
    """For an event its `decisions`. For a change of binding the `differences`, and of how many `events` at all."""

    decisions: list[ForeseenView]
    differences: list[DifferenceView]
    events: int


def foreseen_view(foreseen: Foreseen) -> dict[str, Any]:
    """Return a decision that would be made."""
    decision, paused_by = foreseen.decision, foreseen.paused_by
    shown = {
        "agent_key": decision.agent_key,
        "agent_version": decision.agent_version,
        "decided_by": scope_view(paused_by or decision.decided_by),
    }
    if not isinstance(decision, RunDecided):
        skipped = {"outcome": "skipped", "reason": decision.reason, "target": None, "priority_level": None}
        return {**shown, **skipped, "explanation": explanation(decision)}
    words = explanation(decision)
    waits = foreseen.waits_because is not None
    if paused_by is not None:
        words = f"{words} Its run waits: the binding of {named(paused_by)} pauses the Agent."
    elif waits:
        words = f"{words} Its run waits: the Agent is {foreseen.waits_because}."
    return {
        **shown,
        "outcome": "waits" if waits else "run",
        "reason": "paused" if waits else "enabled",
        "target": {"type": decision.target.type, "id": decision.target.id},
        "priority_level": decision.lane,
        "explanation": words,
    }


def difference_view(difference: Difference) -> dict[str, Any]:
    """Return what would be different for one event and one Agent."""
    event = difference.event
    return {
        "event_id": event.id,
        "event_type": event.type,
        "project": event.projectid,
        "user": event.userid,
        "before": foreseen_view(difference.before),
        "after": foreseen_view(difference.after),
    }
