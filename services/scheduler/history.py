"""Keeps the history short: what is finished and old is deleted, a little at a time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.scheduler.leader import Leader
from shared.clock import Clock
from shared.store.retention import Batch, Retention
from shared.store.tickets import TicketStore

log = structlog.get_logger()

_BATCH = 200
_PAUSE_SECONDS = 0.02
_SELDOM_SECONDS = 60.0
_OFTEN_SECONDS = 0.5
_RUNNERS_KEPT_FOR = timedelta(hours=1)


def rest_seconds(keep_for: timedelta) -> float:
    """Return how long to wait between two rounds: short enough that little more is kept than is wanted."""
    return min(max(keep_for.total_seconds() / 200, _OFTEN_SECONDS), _SELDOM_SECONDS)


async def delete_all(delete: Callable[[datetime, int], Awaitable[int]], before: datetime) -> int:
    """Delete everything of before this moment, so much at a time; return how much that was."""
    deleted = 0
    while count := await delete(before, _BATCH):
        deleted += count
        # Others want the database as well.
        await asyncio.sleep(_PAUSE_SECONDS)
    return deleted


@dataclass(frozen=True, slots=True)
class History:
    """Deletes while this process leads. A round that is cut short, or done by two at once, is done again."""

    retention: Retention
    tickets: TicketStore
    leader: Leader
    clock: Clock
    keep_for: timedelta

    async def run(self) -> None:
        """Delete until cancelled."""
        await self.leader.keep_doing("history", self.shorten, rest_seconds(self.keep_for))

    async def shorten(self) -> dict[str, int]:
        """Delete everything that is old enough by now; return how much of what went."""
        now = self.clock()
        before = now - self.keep_for
        gone: Counter[str] = Counter()
        async for runs in self._while_leading(self.retention.ended_runs(before, _BATCH)):
            gone["runs"] += await self.retention.delete_runs(runs, before)
        async for events in self._while_leading(self.retention.old_events(before, _BATCH)):
            gone["events"] += await self.retention.delete_events(events)
        gone["proposals"] += await delete_all(self.retention.delete_proposals, before)
        gone["replays"] += await delete_all(self.retention.delete_replays, before)
        gone["tickets"] += await delete_all(self.tickets.delete_closed, before)
        await self.retention.forget_runners(now - max(self.keep_for, _RUNNERS_KEPT_FOR))
        if gone.total():
            log.info("history.shortened", **gone)
        return dict(gone)

    async def _while_leading(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        async for batch in batches:
            yield batch
            # Others want the database as well.
            await asyncio.sleep(_PAUSE_SECONDS)
            if not self.leader.is_leading.is_set():
                return
