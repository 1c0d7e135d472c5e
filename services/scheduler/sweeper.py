"""The sweep's loop: what is accepted, queued, running or finished, and got stuck, moves on."""

from datetime import datetime, timedelta

from services.scheduler.batch_sweep import BatchSweep
from services.scheduler.event_sweep import EventSweep
from services.scheduler.leader import Leader
from services.scheduler.run_sweep import BATCH, RunSweep
from services.scheduler.slot_sweep import SlotSweep
from services.scheduler.streams import Streams
from shared.clock import Clock

_STREAMS_EVERY = timedelta(seconds=1)


class Sweeper:
    """Sweeps while this process leads; a failure is logged and the next round tries again."""

    def __init__(
        self,
        events: EventSweep,
        runs: RunSweep,
        batches: BatchSweep,
        slots: SlotSweep,
        streams: Streams,
        leader: Leader,
        clock: Clock,
    ) -> None:
        self._events = events
        self.runs = runs
        self._batches = batches
        self._slots = slots
        self._streams = streams
        self._leader = leader
        self._clock = clock
        self._streams_seen_at: datetime | None = None

    async def run(self, every_seconds: float) -> None:
        """Sweep until cancelled."""
        await self._leader.keep_doing("sweeper", self.sweep, every_seconds)

    async def sweep(self) -> None:
        """Do one round; when streams were lost, everything that they may have held is due at once."""
        now = self._clock()
        if await self._restore_streams(now):
            await self._events.events.sweep_all_at(now)
            await self.runs.runs.sweep_dispatched_at(now)
        await self._events.sweep()
        while await self.runs.sweep() >= BATCH:
            pass
        await self._batches.sweep()
        await self._slots.sweep(now)

    async def _restore_streams(self, now: datetime) -> bool:
        if self._streams_seen_at is not None and now - self._streams_seen_at < _STREAMS_EVERY:
            return False
        self._streams_seen_at = now
        return await self._streams.restore()
