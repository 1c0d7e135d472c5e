"""When a user counts as idle for an Agent, and what becomes of a note about it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.behaviour import IdleTrigger
from contracts.envelope import Event
from contracts.ids import derived_id
from contracts.registry import PLATFORM_TYPES

SETTLED = timedelta(seconds=10)
"""What is younger may belong to an Agent that this process does not know yet, so it is not forgotten."""

CLOCKS_DIFFER = timedelta(seconds=2)
"""By how much the clock that dates an activity may lag behind that of the fire before it."""


@dataclass(frozen=True, slots=True)
class Idleness:
    """What is known of one user in one project, or in none, for one Agent that waits for the user to be idle.

    `active_at` is the last activity. `fired_at` is when the Agent was last told of a quiet time, `fired_for` the activity
    that this quiet time began with, and `firing` the same, as long as its event is not certainly accepted.
    """

    agent_key: str
    organisation: str
    project: str | None
    user: str
    active_at: datetime
    due_at: datetime | None = None
    fired_at: datetime | None = None
    firing: datetime | None = None
    fired_for: datetime | None = None

    @property
    def id(self) -> str:
        in_project = () if self.project is None else (self.project,)
        return derived_id("idl", self.agent_key, self.organisation, self.user, *in_project)


@dataclass(frozen=True, slots=True)
class Forget:
    """Nobody waits for this user to be idle any more."""


@dataclass(frozen=True, slots=True)
class Rest:
    """There is nothing to do until the user does something."""


@dataclass(frozen=True, slots=True)
class Later:
    """It is to be looked at again at this moment."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Fire:
    """The user is idle."""


IdleVerdict = Forget | Rest | Later | Fire


def threshold(trigger: IdleTrigger) -> timedelta:
    """Return how long a user does nothing before being idle."""
    return timedelta(minutes=trigger.idle_threshold_minutes)


def is_activity(trigger: IdleTrigger, event: Event) -> bool:
    """Return whether the event shows its user doing something that counts for this trigger."""
    if event.userid is None:
        return False
    return event.type in trigger.activity if trigger.activity else event.type not in PLATFORM_TYPES


def active_at(event: Event, accepted_at: datetime) -> datetime:
    """Return when an event shows its user to be active, the same for every delivery: never later than its acceptance."""
    return accepted_at if event.time is None else min(event.time, accepted_at)


def verdict(idleness: Idleness, trigger: IdleTrigger | None, now: datetime, *, is_served: bool) -> IdleVerdict:
    """Say what is to be done about this user now.

    Activity from before the last fire begins no other quiet time, however late it is told.
    """
    if trigger is None or not is_served:
        settled_at = idleness.active_at + SETTLED
        return Forget() if settled_at <= now else Later(settled_at)
    if idleness.firing is not None:
        return Fire()
    due_at = _due_at(idleness, trigger)
    if due_at is None:
        return Rest()
    return Fire() if due_at <= now else Later(due_at)


def is_forgotten(idleness: Idleness, trigger: IdleTrigger, before: datetime) -> bool:
    """Return whether nothing has to be known of this user any more: at rest, and last seen and told before this."""
    if idleness.firing is not None or _due_at(idleness, trigger) is not None or idleness.fired_at is None:
        return False
    return idleness.fired_at + timedelta(minutes=trigger.idle_cooldown_minutes) < before


def _due_at(idleness: Idleness, trigger: IdleTrigger) -> datetime | None:
    quiet_since, fired_at = idleness.active_at, idleness.fired_at
    if fired_at is None:
        return quiet_since + threshold(trigger)
    fired_for = idleness.fired_for or fired_at
    if quiet_since <= max(fired_for, fired_at - CLOCKS_DIFFER):
        return None
    return max(quiet_since + threshold(trigger), fired_at + timedelta(minutes=trigger.idle_cooldown_minutes))
