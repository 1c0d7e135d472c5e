"""Fires schedules: each due moment becomes an event, which goes through the gate like any other."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from contracts.schedules import ScheduleFired
from services.scheduler.fire import fire
from services.scheduler.leader import Leader
from services.scheduler.plan import plan
from shared.clock import Clock
from shared.domain.configuration import Configuration
from shared.domain.firing import Firing, to_fire
from shared.messaging.publisher import Publisher
from shared.own_events import accept_own
from shared.store.events import EventStore
from shared.store.members import MemberStore
from shared.store.schedules import ScheduleInForce, ScheduleStore

log = structlog.get_logger()

_BATCH = 500
_PLAN_EVERY = timedelta(seconds=5)
_TICK_SECONDS = 0.5


class Timers:
    """Fires while this process leads. Firing twice, after a crash or under two leaders, is the same event."""

    def __init__(
        self,
        schedules: ScheduleStore,
        members: MemberStore,
        events: EventStore,
        publisher: Publisher,
        configuration: Configuration,
        leader: Leader,
        clock: Clock,
    ) -> None:
        self._schedules = schedules
        self._members = members
        self._events = events
        self._publisher = publisher
        self._configuration = configuration
        self._leader = leader
        self._clock = clock
        self._planned_at: datetime | None = None

    async def run(self) -> None:
        """Plan and fire until cancelled."""
        await self._leader.keep_doing("timers", self.tick, _TICK_SECONDS)

    async def tick(self) -> None:
        """Bring the schedules up to date when it is time for that, then fire what is due."""
        now = self._clock()
        if self._planned_at is None or now - self._planned_at >= _PLAN_EVERY:
            await self._plan(now)
            self._planned_at = now
        await self._fire_due(now)

    def plan_soon(self) -> None:
        """Bring the schedules up to date in the next tick: Agents or bindings have changed."""
        self._planned_at = None

    async def _plan(self, now: datetime) -> None:
        members = await self._members.present()
        changed, gone = plan(self._configuration, members, await self._schedules.all(), now)
        await self._schedules.put(changed, gone)

    async def _fire_due(self, now: datetime) -> None:
        due = await self._schedules.due(now, _BATCH)
        firings = [(each, to_fire(each.schedule, each.since, now, each.rule, each.offset)) for each in due]
        events = [fire(schedule, moment, now) for schedule, firing in firings for moment in firing.moments]
        for start in range(0, len(events), _BATCH):
            await self._accept(events[start : start + _BATCH], now)
        for schedule, firing in firings:
            _log_left_out(schedule, firing)
        await self._schedules.fired((schedule, _moved_on(schedule, firing)) for schedule, firing in firings)

    async def _accept(self, events: Sequence[ScheduleFired], now: datetime) -> None:
        await accept_own(self._events, self._publisher, events, now)
        for event in events:
            log.info(
                "schedule.fired",
                agent=event.data.agent_key,
                organisation=event.organisationid,
                user=event.userid,
                due_at=event.data.due_at.isoformat(),
            )


def _moved_on(schedule: ScheduleInForce, firing: Firing) -> ScheduleInForce:
    fired_for = firing.moments[-1] if firing.moments else schedule.fired_for
    return replace(schedule, fired_for=fired_for).counting_from(firing.since)


def _log_left_out(schedule: ScheduleInForce, firing: Firing) -> None:
    if firing.left_out:
        log.warning(
            "schedule.misfired",
            agent=schedule.agent_key,
            organisation=schedule.member.organisation,
            user=schedule.member.user,
            misfire=schedule.rule.misfire,
            fired=len(firing.moments),
            left_out=firing.left_out,
        )
