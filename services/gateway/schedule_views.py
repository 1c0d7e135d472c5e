"""Schedules in force as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from contracts.agents import ScheduleTrigger
from contracts.filters import ALL
from services.gateway.views import DecisionView, Document, ScopeView, View, decision_view
from shared.domain.firing import fire_id, fire_key
from shared.domain.schedule import following, schedule_text, zone_of
from shared.store.schedules import ScheduleInForce

_NEXT_FIRES = 5


class MemberView(View):
    """For whom it fires, with the zone of the user's wall clock; one for the whole project names no user, one for the organisation neither."""

    project: str
    user: str
    timezone: str


class LastFireView(View):
    """The latest moment that was fired, and what the gate decided; `fire_id` is the id of its event `schedule.fired`.

    There is no decision while the gate has made none, and after the event was deleted with age.
    """

    due_at: datetime
    local: datetime
    fire_id: str
    decision: DecisionView | None


class NextFireView(View):
    """A moment to come: in UTC, on the wall clock of the zone, and when it is fired, which jitter may have come later."""

    due_at: datetime
    local: datetime
    fires_at: datetime


class UnlessView(View):
    """The type of event that is looked for, and since how long before the fire was due."""

    event: str
    within_seconds: int


class ScheduleView(View):
    """What fires one Agent for one member. `decided_by` is the scope whose binding set it; null is the Agent's version.

    `timezone` is the zone of the local times: the schedule's own, or for an interval the member's. `user_filter` says
    whom the Agent's schedules serve, `unless` which event of the member keeps a fire from starting it.
    """

    id: str
    agent_key: str
    member: MemberView
    schedule: dict[str, Any]
    text: str
    timezone: str
    decided_by: ScopeView | None
    misfire: str
    misfire_limit: int
    jitter_seconds: int
    user_filter: str
    unless: UnlessView | None
    last_fire: LastFireView | None
    next_fires: list[NextFireView]


class ScheduleList(View):
    schedules: list[ScheduleView]
    next_cursor: str | None


def last_fire_key(schedule: ScheduleInForce) -> str | None:
    """Return the key of the event of its last fire, if there was any."""
    due_at = schedule.fired_for
    return None if due_at is None else fire_key(schedule.member.organisation, schedule.id, due_at)


def schedule_view(
    schedule: ScheduleInForce, trigger: ScheduleTrigger | None, decisions: Sequence[Document], now: datetime
) -> dict[str, Any]:
    """Return a schedule as it is shown at this moment, with its Agent's trigger and the decisions on its last fire."""
    member, decided_by, rule = schedule.member, schedule.decided_by, schedule.rule
    timezone = zone_of(schedule.schedule) or member.timezone
    zone, offset = ZoneInfo(timezone), schedule.offset
    # What is due and not fired yet is not to come: it is fired in this second, or missed.
    upcoming = following(schedule.schedule, max(schedule.since, now - offset), _NEXT_FIRES)
    return {
        "id": schedule.id,
        "agent_key": schedule.agent_key,
        "member": {"project": member.project, "user": member.user, "timezone": member.timezone},
        "schedule": schedule.schedule.model_dump(mode="json"),
        "text": schedule_text(schedule.schedule),
        "timezone": timezone,
        "decided_by": None if decided_by is None else {"scope": decided_by.scope, "scope_id": decided_by.id},
        "misfire": rule.misfire,
        "misfire_limit": rule.misfire_limit,
        "jitter_seconds": rule.jitter_seconds,
        "user_filter": ALL if trigger is None else trigger.user_filter,
        "unless": None if trigger is None or trigger.unless is None else trigger.unless.model_dump(),
        "last_fire": last_fire_view(schedule, decisions),
        "next_fires": [
            {"due_at": due_at, "local": due_at.astimezone(zone), "fires_at": due_at + offset} for due_at in upcoming
        ],
    }


def last_fire_view(schedule: ScheduleInForce, decisions: Sequence[Document]) -> dict[str, Any] | None:
    """Return the latest moment that was fired, with what was decided about it; None when none was."""
    due_at = schedule.fired_for
    zone = ZoneInfo(zone_of(schedule.schedule) or schedule.member.timezone)
    if due_at is None:
        return None
    return {
        "due_at": due_at,
        "local": due_at.astimezone(zone),
        "fire_id": fire_id(schedule.id, due_at),
        "decision": decision_view(decisions[0]) if decisions else None,
    }
