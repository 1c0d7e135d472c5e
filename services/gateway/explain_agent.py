"""Says in words why an Agent is on or off in one place, and what its schedule does there. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.agents import ForEach
from contracts.filters import ALL
from services.gateway.effective_views import EffectiveView
from services.gateway.periodic_work import background_trouble
from services.gateway.schedule_views import ScheduleView
from services.gateway.views import BindingView, View
from shared.domain.behaviour_text import behaviour_text
from shared.domain.binding import Binding
from shared.domain.configuration import AgentVersion
from shared.domain.decision import named
from shared.domain.effective import Effective
from shared.domain.schedule import schedule_text
from shared.domain.words import utc_text
from shared.store.background import Background
from shared.store.lifecycle import ChangeRecord

Document = Mapping[str, Any]


class AgentExplainAnswer(View):
    """An Agent in one place in words. `bindings` are what its scopes say, widest first; `schedules` those in force."""

    agent_key: str
    project: str | None
    user: str
    summary: str
    details: list[str]
    effective: EffectiveView
    bindings: list[BindingView]
    schedules: list[ScheduleView]


@dataclass(frozen=True, slots=True)
class AgentSurroundings:
    """What is known of an Agent in one place; `schedules` as the API shows them, `runs` by their ids.

    `is_member` is None where no project is asked about.
    """

    now: datetime
    version: AgentVersion
    effective: Effective
    said: Sequence[Binding]
    background: Background | None
    project: str | None
    user: str
    is_member: bool | None
    schedules: Sequence[Document] = ()
    runs: Mapping[str, Document] | None = None
    status_change: ChangeRecord | None = None


def agent_details(around: AgentSurroundings) -> list[str]:
    """Return what there is to know besides whether it is on."""
    status = f"Version {around.version.number} is published, its status is {around.effective.status}"
    return [
        f"{status}{_changed(around.status_change)}.",
        *(_binding(binding) for binding in around.said),
        _events(around.version),
        *_schedule(around),
    ]


def _changed(change: ChangeRecord | None) -> str:
    if change is None:
        return ""
    reason = f" ({change.reason})" if change.reason else ""
    return f" since {utc_text(change.at)}, set by {change.by}{reason}"


def _binding(binding: Binding) -> str:
    says = {
        "enabled": {True: "enables it", False: "disables it"}.get(binding.enabled)
        if binding.enabled is not None
        else None,
        "paused": "pauses it" if binding.paused else None,
        "schedule": None if binding.schedule is None else f"sets its schedule to {schedule_text(binding.schedule)}",
        "active_hours": None if binding.active_hours is None else "sets its active hours",
    }
    said = ", ".join(each for each in says.values() if each) or "changes neither whether nor when it starts"
    who = "" if binding.updated_at is None else f", set by {binding.updated_by} at {utc_text(binding.updated_at)},"
    return f"The binding of {named(binding.at)}{who} {said}."


def _events(version: AgentVersion) -> str:
    spec = version.spec
    starts = [
        *sorted({trigger.event for trigger in spec.triggers}),
        *(behaviour_text(own) for own in (spec.on_idle, spec.after_messages) if own is not None),
    ]
    return f"Events that start it: {', '.join(starts)}." if starts else "No type of event starts it."


def _schedule(around: AgentSurroundings) -> Iterable[str]:
    if around.version.spec.schedule_trigger is None:
        return
    if around.effective.schedule is None and not around.schedules:
        yield "It does not fire: neither its version nor a binding sets a schedule here."
        return
    trouble = background_trouble(around.background, around.now)
    if trouble is not None:
        yield trouble
    for schedule in around.schedules:
        yield _fires(schedule)
        yield _last_fire(schedule, around.runs or {})
    if not around.schedules:
        yield _why_none(around)


def _why_none(around: AgentSurroundings) -> str:
    trigger = around.version.spec.schedule_trigger
    if around.project is None and trigger is not None and trigger.for_each is ForEach.PROJECT:
        return "It fires once for each project that has members: name a project to see when."
    if around.is_member is None:
        return f"No schedule is in force for {around.user}: it fires for members of projects, as member.joined told."
    if not around.is_member:
        return (
            f"No schedule is in force: {around.user} is no member of project {around.project};"
            " publish member.joined, schedules fire for members only."
        )
    if trigger is not None and trigger.user_filter != ALL:
        return f"No schedule is in force: `{trigger.user_filter}` (user_filter) leaves {around.user} out, or it comes soon."
    return "No schedule is in force yet: the leading scheduler plans it within 5 seconds."


def _fires(schedule: Document) -> str:
    first = schedule["next_fires"][0]["fires_at"] if schedule["next_fires"] else None
    coming = "it is never due again" if first is None else f"next at {utc_text(first)}"
    return f"It fires {_whose(schedule['member'])} ({schedule['text']}), {coming}."


def _whose(member: Document) -> str:
    if member["user"]:
        return f"for {member['user']} in project {member['project']}"
    return f"for project {member['project']}" if member["project"] else "for the organisation"


def _last_fire(schedule: Document, runs: Mapping[str, Document]) -> str:
    last = schedule["last_fire"]
    if last is None:
        return "It has not fired yet."
    decision = last["decision"]
    if decision is None:
        return f"It fired last for {utc_text(last['due_at'])}; there is no decision (yet, or it was deleted with age)."
    run = runs.get(decision["run_id"] or "")
    became = "" if run is None else f" Run {run['_id']} is {run['status']}."
    return f"It fired last for {utc_text(last['due_at'])}: {decision['explanation']}{became}"
