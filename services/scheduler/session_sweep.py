"""Sessions whose turn has ended, or never did within its time: what waits for them goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.scheduler.leader import Leader
from shared.admission import Admission
from shared.clock import Clock
from shared.domain.session import open_turn
from shared.follow_ups import FollowUps
from shared.store.mongo import Document
from shared.store.runs import RunStore

_BATCH = 500
_TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SessionSweep:
    """Does again what gating does when a turn ends, for turns that do not, and for what came to wait in that moment."""

    follow_ups: FollowUps
    runs: RunStore
    admission: Admission
    leader: Leader
    clock: Clock

    async def run(self) -> None:
        """Sweep until cancelled."""
        await self.leader.keep_doing("sessions", self.sweep, _TICK_SECONDS)

    async def sweep(self) -> int:
        """Place what may be placed, and let go the runs whose session is free; return how much moved on."""
        placed = await self.follow_ups.place(await self.follow_ups.sessions.messages.waiting(_BATCH))
        free = await self._free(await self.runs.waiting_for_sessions(_BATCH))
        return placed + await self.admission.release(free)

    async def _free(self, waiting: Sequence[Document]) -> list[Document]:
        if not waiting:
            return []
        sessions = await self.follow_ups.sessions.load({run["waiting_for"]["key"] for run in waiting})
        now = self.clock()
        busy = {key for key, session in sessions.items() if open_turn(session, now) is not None}
        return [run for run in waiting if run["waiting_for"]["key"] not in busy]
