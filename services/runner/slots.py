"""The runs that this runner may execute at a time, handed to the lanes in the order of their urgency."""

import asyncio
from collections import deque

from contracts.lanes import ORDER, Lane


class Slots:
    """Free slots; whoever waits is served by urgency, then in order, and newcomers wait behind them."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.free = total
        self.is_open = True
        self._waiting: dict[Lane, deque[asyncio.Event]] = {lane: deque() for lane in ORDER}

    def wanted(self) -> int:
        """Return how many runs a lane may fetch now: one more than can start when all slots are taken."""
        return max(1, self.free)

    async def take(self, lane: Lane, most: int, patience_seconds: float) -> int:
        """Take between 1 and `most` slots, or none if there are none in time or no more runs are to start."""
        turn = asyncio.Event()
        self._waiting[lane].append(turn)
        try:
            taken = min(most, self.free) if await self._comes(turn, patience_seconds) else 0
            self.free -= taken
            return taken
        finally:
            self._waiting[lane].remove(turn)
            self._wake()

    def give_back(self, count: int = 1) -> None:
        """Return slots of runs that have ended."""
        self.free += count
        self._wake()

    def close(self) -> None:
        """Hand out no more slots."""
        self.is_open = False
        for waiting in self._waiting.values():
            for turn in waiting:
                turn.set()

    async def _comes(self, turn: asyncio.Event, patience_seconds: float) -> bool:
        try:
            async with asyncio.timeout(patience_seconds):
                # A more urgent lane may have come between the call and the awakening.
                while self.is_open and self._next() is not turn:
                    await turn.wait()
                    turn.clear()
        except TimeoutError:
            return False
        return self.is_open

    def _next(self) -> asyncio.Event | None:
        """Return whose turn it is; it stays so until that one has taken its slots or has gone."""
        if self.free == 0:
            return None
        return next((self._waiting[lane][0] for lane in ORDER if self._waiting[lane]), None)

    def _wake(self) -> None:
        turn = self._next()
        if turn is not None:
            turn.set()
