"""Has tickets follow the events that tell of them, where nobody has read them since: in quiet moments, or once it is late."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from services.scheduler.history import rest_seconds
from services.scheduler.leader import Leader
from shared.store.tickets import TicketStore

BATCH = 200
_LOOK_EVERY_SECONDS = 5.0
_RETRY_EVERY_SECONDS = 60.0
_GENTLE_FOR_SECONDS = 600.0
_GENTLY = 4


def patience_seconds(keep_for: timedelta) -> float:
    """Return how long tickets may lag behind while there is more urgent work: less where events are soon deleted."""
    return 2 * rest_seconds(keep_for)


def pause_seconds(took: float, late: float) -> float:
    """Return how long others have the database after a batch that took so long, so many seconds after it became late.

    Four fifths of the time, the more of it the busier they are; half of it once that is too little to get done.
    """
    return took * _GENTLY if late < _GENTLE_FOR_SECONDS else took


class TicketIntake:
    """Works while this process leads, and `is_quiet`. No event that tells of a ticket is deleted before it is taken in."""

    def __init__(
        self,
        tickets: TicketStore,
        is_quiet: Callable[[], Awaitable[bool]],
        leader: Leader,
        patience: float,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tickets = tickets
        self._is_quiet = is_quiet
        self._leader = leader
        self._patience = patience
        self._elapsed = elapsed
        self._done_at = elapsed()
        self._retry_at = elapsed()

    async def run(self) -> None:
        """Look until cancelled."""
        await self._leader.keep_doing("tickets", self.look, min(_LOOK_EVERY_SECONDS, self._patience))

    async def look(self) -> int:
        """Take in what there is, while there is time for it; return how many events that were."""
        taken = 0
        while self._leader.is_leading.is_set() and (self._late > 0 or await self._is_quiet()):
            begun = self._elapsed()
            count = await self._tickets.take_in(BATCH)
            taken += count
            if count < BATCH:
                await self._note_done()
                break
            await asyncio.sleep(pause_seconds(self._elapsed() - begun, self._late))
        return taken

    @property
    def _late(self) -> float:
        """For how many seconds it has been late."""
        return self._elapsed() - self._done_at - self._patience

    async def _note_done(self) -> None:
        now = self._elapsed()
        self._done_at = now
        if now >= self._retry_at:
            self._retry_at = now + _RETRY_EVERY_SECONDS
            await self._tickets.retry_unreadable()
