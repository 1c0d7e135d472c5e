"""Finds who has been idle long enough, and tells it as an event, which goes through the gate like any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from contracts.behaviour import IdleTrigger
from services.scheduler.idle_fire import idle_fire
from services.scheduler.leader import Leader
from services.scheduler.whereabouts import Whereabouts, look_up
from shared.clock import Clock
from shared.domain.configuration import Configuration
from shared.domain.idleness import Fire, Idleness, IdleVerdict, verdict
from shared.messaging.publisher import Publisher
from shared.own_events import accept_own
from shared.store.events import EventStore
from shared.store.idleness import IdlenessStore
from shared.store.members import MemberStore

log = structlog.get_logger()

_BATCH = 500
_TICK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class IdleSweep:
    """Looks while this process leads.

    Who is idle is claimed first: a leader that dies after that leaves it to the next one, which tells the same event. Two
    leaders at once tell the same event, too.
    """

    idleness: IdlenessStore
    members: MemberStore
    events: EventStore
    publisher: Publisher
    configuration: Configuration
    leader: Leader
    clock: Clock

    async def run(self) -> None:
        """Look until cancelled."""
        await self.leader.keep_doing("idle", self.sweep, _TICK_SECONDS)

    async def sweep(self) -> None:
        """Look at everybody who may be idle by now, if any Agent waits for that."""
        if not self.configuration.waits_for_idle:
            return
        while len(due := await self.idleness.due(self.clock(), _BATCH)) == _BATCH:
            await self.judge(due)
        await self.judge(due)

    async def judge(self, some: Sequence[Idleness]) -> None:
        """Decide about these, and tell of those who are idle."""
        if not some:
            return
        now = self.clock()
        people = await look_up(self.members, (_place(each) for each in some))
        verdicts = [(each, verdict_on(each, self.configuration, people, now)) for each in some]
        await self.idleness.judge(verdicts, now)
        idle = await self.idleness.claimed([each.id for each, found in verdicts if isinstance(found, Fire)])
        await self._tell(idle, people, now)
        await self.idleness.fired(idle)

    async def _tell(self, idle: Sequence[Idleness], people: Whereabouts, now: datetime) -> None:
        fires = [
            idle_fire(each, each.firing, each.fired_at or now, people.timezone(_place(each)))
            for each in idle
            if each.firing is not None
        ]
        await accept_own(self.events, self.publisher, fires, now)
        for fire in fires:
            log.info(
                "user.idle_detected",
                agent=fire.data.agent_key,
                organisation=fire.organisationid,
                user=fire.userid,
                active_at=fire.data.active_at.isoformat(),
            )


def verdict_on(idleness: Idleness, configuration: Configuration, people: Whereabouts, now: datetime) -> IdleVerdict:
    """Say what is to be done about this user by what is configured now."""
    trigger = idle_trigger(configuration, idleness)
    is_served = trigger is not None and people.is_served(trigger.user_filter, _place(idleness))
    return verdict(idleness, trigger, now, is_served=is_served)


def idle_trigger(configuration: Configuration, idleness: Idleness) -> IdleTrigger | None:
    """Return the trigger for which this user's activity is noted, if there still is one."""
    version = configuration.agent(idleness.organisation, idleness.agent_key)
    return None if version is None else version.spec.on_idle


def _place(each: Idleness) -> tuple[str, str | None, str]:
    return each.organisation, each.project, each.user
