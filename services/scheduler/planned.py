"""Carries out the changes of Agents' statuses that somebody planned, when their moment has come."""

from dataclasses import dataclass

import structlog

from services.scheduler.leader import Leader
from shared.clock import Clock
from shared.store.lifecycle import LifecycleStore

log = structlog.get_logger()

_BATCH = 100
_LOOK_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PlannedStatuses:
    """Looks while this process leads. Each plan is carried out once, whoever tries, and however often."""

    lifecycle: LifecycleStore
    leader: Leader
    clock: Clock

    async def run(self) -> None:
        """Look until cancelled."""
        await self.leader.keep_doing("planned_statuses", self.look, _LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Carry out what is due now."""
        now = self.clock()
        for due in await self.lifecycle.due(now, _BATCH):
            before = await self.lifecycle.carry_out(due, now)
            if before is not None:
                planned = due.planned
                log.info(
                    "agent.status_changed", agent=due.agent_id, status=planned.status, before=before, by=planned.by
                )
