"""The runs that this runner may execute at a time, handed to the lanes in the order of their urgency."""

import asyncio
from collections import deque

from contracts.lanes import ORDER, Lane


class Slots:
    """Free slots; while an urgent lane waits for one, no other lane gets any."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.free = total
        self.is_open = True
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {lane: deque() for lane in ORDER}

    def wanted(self) -> int:
        """Return how many runs a lane may fetch now: one more than can start when all slots are taken."""
        return max(1, self.free)

    async def take(self, lane: Lane, most: int, patience_seconds: float) -> int:
        """Take between 1 and `most` slots, or none if there are none in time or no more runs are to start."""
        if self.is_open and (self.free == 0 or self._is_outranked(lane)):
            await self._wait(lane, patience_seconds)
        taken = min(most, self.free) if self.is_open else 0
        self.free -= taken
        self._wake()
        return taken

    def give_back(self, count: int = 1) -> None:
        """Return slots of runs that have ended."""
        self.free += count
        self._wake()

    def close(self) -> None:
        """Hand out no more slots."""
        self.is_open = False
        for waiting in self._waiting.values():
            while waiting:
                _let_go(waiting.popleft())

    async def _wait(self, lane: Lane, patience_seconds: float) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append(turn)
        try:
            async with asyncio.timeout(patience_seconds):
                await turn
        except TimeoutError:
            pass
        finally:
            if turn in self._waiting[lane]:
                self._waiting[lane].remove(turn)

    def _is_outranked(self, lane: Lane) -> bool:
        return any(self._waiting[other] for other in ORDER[: ORDER.index(lane)])

    def _wake(self) -> None:
        if self.free == 0:
            return
        for lane in ORDER:
            if self._waiting[lane]:
                _let_go(self._waiting[lane].popleft())
                return


def _let_go(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
