"""Keeps what is remembered of people's behaviour in step with Agents and members, and no longer than it is of use."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from services.scheduler.idle_sweep import idle_trigger, verdict_on
from services.scheduler.leader import Leader
from services.scheduler.whereabouts import Whereabouts, look_up
from shared.clock import Clock
from shared.domain.configuration import BehaviourTrigger, Configuration
from shared.domain.idleness import SETTLED, Fire, Forget, Idleness, IdleVerdict, Later, is_forgotten
from shared.store.idleness import IdlenessStore
from shared.store.members import MemberStore
from shared.store.message_counts import Counted, MessageCountStore

log = structlog.get_logger()

_BATCH = 1_000
_EVERY = timedelta(minutes=10)
_TICK_SECONDS = 1.0


@dataclass(slots=True)
class Upkeep:
    """Walks through everything while this process leads: when what Agents wait for has changed, and every ten minutes."""

    idleness: IdlenessStore
    counts: MessageCountStore
    members: MemberStore
    configuration: Configuration
    leader: Leader
    clock: Clock
    keep_for: timedelta
    _walked_at: datetime | None = field(default=None, init=False)
    _obeyed: AbstractSet[BehaviourTrigger] = field(default=frozenset(), init=False)

    def configuration_changed(self) -> None:
        """Walk in the next tick, if Agents wait for other behaviour than before."""
        wanted = self.configuration.behaviour
        if wanted != self._obeyed:
            self._obeyed, self._walked_at = wanted, None

    async def run(self) -> None:
        """Walk until cancelled."""
        await self.leader.keep_doing("upkeep", self.tick, _TICK_SECONDS)

    async def tick(self) -> None:
        """Walk when it is time for that."""
        now = self.clock()
        if self._walked_at is not None and now - self._walked_at < _EVERY:
            return
        self._walked_at = now
        await self.walk(now)

    async def walk(self, now: datetime) -> None:
        """Forget who left, what nothing counts or waits for and what is old; obey another threshold."""
        forgotten = await self._walk_idleness(now) + await self._walk_counts(now)
        if forgotten:
            log.info("behaviour.forgotten", count=forgotten)

    async def _walk_idleness(self, now: datetime) -> int:
        forgotten = 0
        async for batch in self.idleness.walk(_BATCH):
            people = await look_up(self.members, ((each.organisation, each.project, each.user) for each in batch))
            found = [(each, verdict) for each in batch if (verdict := self._changed(each, people, now)) is not None]
            await self.idleness.judge(found, now)
            forgotten += sum(isinstance(verdict, Forget) for _, verdict in found)
        return forgotten

    def _changed(self, each: Idleness, people: Whereabouts, now: datetime) -> IdleVerdict | None:
        """Return what is to become of this user; None when all is as it should be. Whoever is idle is left to the sweep."""
        match verdict_on(each, self.configuration, people, now):
            case Forget():
                return Forget()
            case Later(at=at):
                return None if each.due_at == at else Later(at)
            case Fire():
                return None if each.due_at is not None and each.due_at <= now else Later(now)
            case _:
                trigger = idle_trigger(self.configuration, each)
                is_old = trigger is not None and is_forgotten(each, trigger, now - self.keep_for)
                return Forget() if is_old else None

    async def _walk_counts(self, now: datetime) -> int:
        forgotten = 0
        async for batch in self.counts.walk(_BATCH):
            subjects = (each.subject for each in batch)
            people = await look_up(self.members, ((who.organisation, who.project, who.user) for who in subjects))
            gone = [each for each in batch if self._is_gone(each, people, now)]
            await self.counts.forget(gone)
            forgotten += len(gone)
        return forgotten

    def _is_gone(self, each: Counted, people: Whereabouts, now: datetime) -> bool:
        who = each.subject
        version = self.configuration.agent(who.organisation, who.agent_key)
        is_counted = version is not None and version.spec.after_messages is not None
        is_unwanted = not is_counted or people.has_left((who.organisation, who.project, who.user))
        return each.updated_at < now - self.keep_for or (is_unwanted and each.updated_at < now - SETTLED)
