"""Says in words what became of an event: every decision with what is behind it and what came of it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.agents import EventTrigger, Scope
from services.gateway.explain import Surroundings, explain
from services.gateway.views import BindingView, DecisionView, RunView, View, binding_view, decision_view, run_view
from shared.domain.active_hours import hours_text
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decision import named
from shared.domain.words import counted, utc_text

Document = Mapping[str, Any]


class ExplainedProposal(View):
    id: str
    kind: str
    title: str
    status: str


class ExplainedDecision(View):
    """One decision in words, and the documents behind it: the binding that decided it, as it is now, and its triggers.

    `run` is the one that was started or has taken the event, if the caller may see it.
    """

    decision: DecisionView
    words: list[str]
    binding: BindingView | None
    triggers: list[dict[str, Any]]
    run: RunView | None
    proposals: list[ExplainedProposal]


class ExplainedEvent(View):
    id: str
    key: str
    type: str
    project: str | None
    user: str | None
    accepted_at: datetime
    decided_at: datetime | None


class EventExplainAnswer(View):
    """An event in words: one sentence that says what became of it, and each decision."""

    event: ExplainedEvent
    summary: str
    decisions: list[ExplainedDecision]


@dataclass(frozen=True, slots=True)
class EventSurroundings:
    """What is known besides the event: the configuration as it is now, its runs by their ids, their proposals, and how many runners work."""

    now: datetime
    configuration: Configuration
    runs: Mapping[str, Document] = field(default_factory=dict)
    proposals: Mapping[str, Sequence[Document]] = field(default_factory=dict)
    runners: int = 0


def explained_event(event: Document, around: EventSurroundings) -> dict[str, Any]:
    """Return the event in words, with everything behind it."""
    return {
        "event": {
            **{name: event[name] for name in ("id", "type", "project", "user", "accepted_at")},
            "key": event["_id"],
            "decided_at": event.get("gated_at"),
        },
        "summary": event_summary(event, around.now),
        "decisions": [_explained(event, decision, around) for decision in event.get("decisions") or ()],
    }


def event_summary(event: Document, now: datetime) -> str:
    """Say what became of the event."""
    letter = event.get("dead_letter")
    if letter is not None:
        return f"The gate could not handle it: /api/dead-letters/{letter} says why, and redrives it."
    if not event["gated"]:
        waited = max(0.0, (now - event["accepted_at"]).total_seconds())
        return (
            f"It was accepted {waited:.0f} s ago and is not decided yet: is gating at work, and NATS? GET /health/ready"
        )
    outcomes = Counter(decision["outcome"] for decision in event["decisions"])
    if not outcomes:
        return f"Nothing started: no published Agent has a trigger for {event['type']}."
    said = {
        "run": f"it started {counted(outcomes['run'], 'run')}",
        "coalesced": f"{counted(outcomes['coalesced'], 'waiting run')} took it",
        "skipped": f"{counted(outcomes['skipped'], 'Agent')} did not start",
    }
    sentence = ", ".join(text for outcome, text in said.items() if outcomes[outcome])
    return f"{sentence[0].upper()}{sentence[1:]}."


def _explained(event: Document, decision: Document, around: EventSurroundings) -> dict[str, Any]:
    binding, triggers = _binding(event, decision, around), _triggers(event, decision, around)
    run_id = decision["run_id"] or ""
    run, proposals = around.runs.get(run_id), around.proposals.get(run_id, ())
    words = [
        *_decider(decision, binding),
        *(_trigger(trigger) for trigger in triggers),
        *_hours(event, decision, around),
        *_outcome(event, decision, run, Surroundings(around.now, runners=around.runners)),
        *_proposed(run, proposals),
    ]
    return {
        "decision": decision_view(decision),
        "words": words,
        "binding": None if binding is None else binding_view(binding),
        "triggers": [trigger.model_dump(mode="json") for trigger in triggers],
        "run": None if run is None else run_view(run),
        "proposals": [
            {"id": each["_id"], **{name: each[name] for name in ("kind", "title", "status")}} for each in proposals
        ],
    }


def _binding(event: Document, decision: Document, around: EventSurroundings) -> Binding | None:
    decided_by = decision["decided_by"]
    if decided_by is None:
        return None
    at = ScopeRef(Scope(decided_by["scope"]), decided_by["scope_id"])
    tenant = "" if at.scope is Scope.SERVER else event["organisation"]
    return next(iter(around.configuration.said(decision["agent_key"], [(tenant, at)])), None)


def _decider(decision: Document, binding: Binding | None) -> Iterable[str]:
    decided_by = decision["decided_by"]
    if decided_by is None:
        return
    at = named(ScopeRef(Scope(decided_by["scope"]), decided_by["scope_id"]))
    if binding is None:
        yield f"The binding of {at} decided it; it is not there any more."
    elif binding.updated_at is not None:
        yield f"The binding of {at} decided it; {binding.updated_by} wrote it last, at {utc_text(binding.updated_at)}."


def _triggers(event: Document, decision: Document, around: EventSurroundings) -> list[EventTrigger]:
    """Return the Agent's triggers for this type of event, if the version that was decided is still the published one."""
    version = around.configuration.agent(event["organisation"], decision["agent_key"])
    if version is None or version.number != decision["agent_version"]:
        return []
    return [trigger for trigger in version.spec.triggers if trigger.event == event["type"]]


def _trigger(trigger: EventTrigger) -> str:
    said = [
        f"Its trigger is for {trigger.event} on {trigger.target.type} {trigger.target.id}",
        None if trigger.when is None else f"filter `{trigger.when}`",
        f"delay {trigger.delay_seconds} s" if trigger.delay_seconds else None,
        f"debounce {trigger.debounce_seconds} s" if trigger.debounce_seconds else None,
    ]
    return f"{', '.join(part for part in said if part)}."


def _hours(event: Document, decision: Document, around: EventSurroundings) -> Iterable[str]:
    version = around.configuration.agent(event["organisation"], decision["agent_key"])
    if version is None:
        return
    place = event["organisation"], event["project"], event["user"]
    hours = around.configuration.effective(version.spec, *place).active_hours.value
    if hours is not None:
        yield f"It is active {hours_text(hours)}."


def _outcome(event: Document, decision: Document, run: Document | None, around: Surroundings) -> Iterable[str]:
    run_id = decision["run_id"]
    if run_id is None:
        return
    if decision.get("is_retired"):
        yield f"Run {run_id} was deleted with age."
    elif run is None:
        yield f"Run {run_id} is not yours to see, or not stored yet."
    else:
        other = "" if run["event_key"] == event["_id"] else f" It works on the event {run['event_id']}."
        yield f"Run {run_id} is {run['status']}. {explain(run, around).summary}{other}"


def _proposed(run: Document | None, proposals: Sequence[Document]) -> Iterable[str]:
    if proposals:
        listed = ", ".join(f"{each['_id']} ({each['kind']}, {each['status']})" for each in proposals)
        yield f"It proposed: {listed}."
    elif run is not None and run.get("finished_at") is not None:
        yield "It proposed nothing."
