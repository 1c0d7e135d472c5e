"""One heartbeat for all runs of this process: extends their leases, and stops those that were lost."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from shared.domain.run import Claim
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
        held: Callable[[], Sequence[Claim]],
        on_lost: Callable[[Claim], None],
    ) -> None:
        self._runs = runs
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._held = held
        self._on_lost = on_lost

    async def run(self, every_seconds: float) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            await self.beat()

    async def beat(self) -> None:
        """Extend the leases once. While MongoDB is away nothing is lost: every later write is fenced."""
        try:
            lost = await self._runs.extend_leases(self._held(), self._owner, self._lease_seconds)
        except StorageUnavailable as error:
            log.warning("heartbeat.failed", error=error.message)
            return
        for claim in lost:
            self._on_lost(claim)
