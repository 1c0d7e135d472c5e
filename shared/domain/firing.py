"""Which moments of a schedule are fired now, and which are left out. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import assert_never

from contracts.agents import Misfire, Schedule, ScheduleTrigger
from contracts.ids import derived_id, event_key
from shared.domain.schedule import due_between, moment_of

GRACE = timedelta(seconds=60)
"""A moment that is fired later than this was missed: longer than a change of the leader and a restart take."""

FIRE_SOURCE = "/towpath/scheduler"
"""The `source` of every event that is a fire."""


@dataclass(frozen=True, slots=True)
class FiringRule:
    """What a schedule trigger says about late moments and about spreading them."""

    misfire: Misfire = Misfire.FIRE_ONCE
    misfire_limit: int = 10
    jitter_seconds: int = 0

    @classmethod
    def of(cls, trigger: ScheduleTrigger) -> "FiringRule":
        return cls(trigger.misfire, trigger.misfire_limit, trigger.jitter_seconds)

    def offset(self, schedule_id: str) -> timedelta:
        """Return by how much this schedule's fires come later than its moments: the same in every process, for ever."""
        if self.jitter_seconds == 0:
            return timedelta(0)
        drawn = int.from_bytes(blake2b(schedule_id.encode(), digest_size=8).digest())
        return timedelta(milliseconds=drawn % (self.jitter_seconds * 1_000))


@dataclass(frozen=True, slots=True)
class Firing:
    """The moments to fire, oldest first; how many are left out; and the latest moment that this takes care of."""

    moments: tuple[datetime, ...]
    left_out: int
    since: datetime


def to_fire(schedule: Schedule, since: datetime, now: datetime, rule: FiringRule, offset: timedelta) -> Firing:
    """Return what to do about the moments after `since` that are due now, `offset` after their time.

    `skip` fires those that are at most GRACE late, `fire_once` the latest for all, `fire_all` the latest
    `misfire_limit`.
    """
    due = due_between(schedule, since, now)
    due = due[: bisect_right(due, now - offset, key=moment_of)]
    if not due:
        return Firing((), 0, since)
    chosen = _chosen(due, rule, now - offset)
    return Firing(tuple(moment_of(each) for each in chosen), len(due) - len(chosen), moment_of(due[-1]))


def fire_id(schedule_id: str, due_at: datetime) -> str:
    """Return the id of the only fire that this schedule has for this moment."""
    return derived_id("fire", schedule_id, due_at.isoformat())


def fire_key(organisation: str, schedule_id: str, due_at: datetime) -> str:
    """Return the key of the event that this fire is."""
    return event_key(organisation, FIRE_SOURCE, fire_id(schedule_id, due_at))


def _chosen(due: Sequence[int], rule: FiringRule, now: datetime) -> Sequence[int]:
    match rule.misfire:
        case Misfire.SKIP:
            return due[bisect_left(due, now - GRACE, key=moment_of) :]
        case Misfire.FIRE_ONCE:
            return due[-1:]
        case Misfire.FIRE_ALL:
            return due[-rule.misfire_limit :]
        case _:
            assert_never(rule.misfire)
