"""Notices within a second that a runner was killed; its leases alone would tell only when they have run out."""

import asyncio
from dataclasses import dataclass

import structlog
from nats.aio.client import Client

from services.scheduler.leader import Leader
from services.scheduler.run_sweep import RunSweep
from services.scheduler.steadiness import Steadiness
from shared.messaging.presence import is_gone
from shared.store.runners import RunnerStore

log = structlog.get_logger()

_LOOK_EVERY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class LostRunners:
    """Takes over from runners that are gone.

    Two witnesses must agree: MongoDB has heard nothing of the runner for a while, and NATS has no connection of it. A
    runner that is only slow keeps its connection, and one that lost its connection keeps beating. Should both err, the
    attempt's fence holds as always.
    """

    runners: RunnerStore
    runs: RunSweep
    client: Client
    leader: Leader
    steadiness: Steadiness

    async def run(self) -> None:
        """Look until cancelled, while this process leads."""
        await self.leader.keep_doing("lost_runners", self.look, _LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Look once, and have the runs of every lost runner taken over."""
        silent = await self.runners.silent()
        self.steadiness.answered()
        # After MongoDB was away, every runner has been silent.
        if silent and self.steadiness.is_steady:
            # All at once: one that is only frozen takes its time to say nothing.
            await asyncio.gather(*(self._attend(runner) for runner in silent))

    async def _attend(self, runner: str) -> None:
        if await is_gone(self.client, "runner", runner):
            taken_over = await self.runs.take_over_from(runner)
            log.warning("runner.lost", runner=runner, runs=taken_over)
            await self.runners.forget(runner)
