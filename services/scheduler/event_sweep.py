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


@dataclass(frozen=True, slots=True)
class EventSweep:
    """Leaves alone what the stream still holds: while gating has a backlog, an event is late, not lost."""

    events: EventStore
    publisher: Publisher
    backlog: Backlog
    clock: Clock

    async def sweep(self, *, is_stream_new: bool) -> int:
        """Look at what is due, or at everything when the stream was lost; return how many were published again."""
        now = self.clock()
        due = await self.events.due_for_sweep(now + LONG if is_stream_new else now, _BATCH)
        if not due:
            return 0
        lost = due if is_stream_new or not await self.backlog.is_gating_behind() else _surely_lost(due, now)
        for event in lost:
            await self.publisher.event(event["type"], event["organisation"], event["json"].encode(), _AGAIN)
        await self.events.sweep_again_at((event["_id"], look_again_at(event["accepted_at"], now)) for event in due)
        if lost:
            log.warning("events.published_again", count=len(lost))
        return len(lost)


_AGAIN = {ACCEPTED_HEADER: "again"}
LONG = timedelta(days=1)


def _surely_lost(due: Sequence[Document], now: datetime) -> list[Document]:
    return [event for event in due if now - event["accepted_at"] > _SURELY_LOST_AFTER]
