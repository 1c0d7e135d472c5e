"""Publishes events again that were accepted and not gated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.scheduler.again import look_again_at
from shared.clock import Clock
from shared.domain.event import ACCEPTED_HEADER
from shared.messaging.backlog import Backlog
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore
from shared.store.mongo import Document

log = structlog.get_logger()

_BATCH = 500
_SURELY_LOST_AFTER = timedelta(seconds=60)
_AGAIN = {ACCEPTED_HEADER: "again"}


@dataclass(frozen=True, slots=True)
class EventSweep:
    """Leaves alone what the stream still holds: while gating has a backlog, an event is late, not lost."""

    events: EventStore
    publisher: Publisher
    backlog: Backlog
    clock: Clock

    async def sweep(self) -> int:
        """Look at everything that is due; return how many events were published again."""
        now = self.clock()
        published = 0
        is_behind: bool | None = None
        while due := await self.events.due_for_sweep(now, _BATCH):
            if is_behind is None:
                is_behind = await self.backlog.is_gating_behind()
            published += await self._publish(_surely_lost(due, now) if is_behind else due)
            await self.events.sweep_again_at((event["_id"], look_again_at(event["accepted_at"], now)) for event in due)
        if published:
            log.warning("events.published_again", count=published)
        return published

    async def _publish(self, lost: Sequence[Document]) -> int:
        for event in lost:
            await self.publisher.event(event["type"], event["organisation"], event["json"].encode(), _AGAIN)
        return len(lost)


def _surely_lost(due: Sequence[Document], now: datetime) -> list[Document]:
    return [event for event in due if now - event["accepted_at"] > _SURELY_LOST_AFTER]
