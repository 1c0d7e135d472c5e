"""Fires schedules: each due moment becomes an event, which goes through the gate like any other."""

from datetime import datetime, timedelta

import structlog

from services.scheduler.fire import fire
from services.scheduler.leader import Leader
from services.scheduler.plan import plan
from shared.clock import Clock
from shared.domain.configuration import Configuration
from shared.domain.event import ACCEPTED_HEADER, accepted_event
from shared.domain.schedule import last_due, next_due
from shared.messaging.publisher import Publisher
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
        fires = [
            (schedule, last_due(schedule.schedule, schedule.since, now) or schedule.next_due_at) for schedule in due
        ]
        if not fires:
            return
        await self._accept([(schedule, moment) for schedule, moment in fires], now)
        await self._schedules.fired(
            (schedule, moment, next_due(schedule.schedule, moment)) for schedule, moment in fires
        )

    async def _accept(self, fires: list[tuple[ScheduleInForce, datetime]], now: datetime) -> None:
        events = [fire(schedule, moment, now) for schedule, moment in fires]
        bodies = [event.to_json() for event in events]
        await self._events.accept(
            [accepted_event(event, body.decode(), now) for event, body in zip(events, bodies, strict=True)]
        )
        for event, body in zip(events, bodies, strict=True):
            await self._publisher.event(event.type, event.organisationid, body, {ACCEPTED_HEADER: "once"})
            log.info(
                "schedule.fired",
                agent=event.data.agent_key,
                organisation=event.organisationid,
                user=event.userid,
                due_at=event.data.due_at.isoformat(),
            )
