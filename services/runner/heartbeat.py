"""One heartbeat for all runs of this process: extends their leases, and stops those that were lost or are to end."""

import asyncio
from contextlib import suppress

import structlog

from services.runner.executions import Executions
from shared.errors import StorageUnavailable
from shared.store.runners import BEAT_SECONDS, RunnerStore
from shared.store.runs import RunStore

log = structlog.get_logger()


class Pulse:
    """Says that this process is at work, far more often than leases need it, and for next to nothing."""

    def __init__(self, runners: RunnerStore, runner: str) -> None:
        self._runners = runners
        self._runner = runner

    async def run(self) -> None:
        """Beat until cancelled. A beat that fails is no loss: whoever listens asks NATS, too."""
        while True:
            with suppress(StorageUnavailable):
                await self._runners.beat(self._runner)
            await asyncio.sleep(BEAT_SECONDS)

    async def end(self) -> None:
        """Say that this process stops in an orderly way."""
        with suppress(StorageUnavailable):
            await self._runners.forget(self._runner)


class Heartbeat:
    """Extends every lease in one write, however many runs there are."""

    def __init__(
        self,
        runs: RunStore,
        owner: str,
        lease_seconds: float,
        executions: Executions,
    ) -> None:
        self._runs = runs
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._executions = executions

    async def run(self, every_seconds: float) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            await self.beat()

    async def beat(self) -> None:
        """Extend the leases once, and end the runs that are to end.

        While MongoDB is away nothing is lost: every later write is fenced.
        """
        try:
            held = self._executions.claims()
            lost = await self._runs.extend_leases(held, self._owner, self._lease_seconds)
            cancelled = await self._runs.cancelling(held)
        except StorageUnavailable as error:
            log.warning("heartbeat.failed", error=error.message)
            return
        for claim in lost:
            self._executions.stop_lost(claim)
        for claim in cancelled:
            self._executions.cancel(claim)
