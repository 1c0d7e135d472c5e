"""The runs that this runner may execute at a time, handed to the queues in the order of their urgency."""

import asyncio
from collections import deque
from contextlib import suppress

from contracts.lanes import QUEUES, Queue

STARVED_AFTER = 16
"""A queue that waits while so many runs of others start is served next, however urgent these are."""
MOMENT_SECONDS = 0.02


class Slots:
    """Free slots; whoever waits is served by urgency, then in order, and newcomers wait behind them.

    `express` more slots are for express and critical runs, when all others are taken.
    """

    def __init__(self, total: int, express: int = 0) -> None:
        self.total = total
        self.express = express
        self.taken = 0
        self.is_open = True
        self._freed = asyncio.Event()
        self._waiting: dict[Queue, deque[asyncio.Event]] = {queue: deque() for queue in QUEUES}
        self._passed_over: dict[Queue, int] = dict.fromkeys(QUEUES, 0)

    def free(self, queue: Queue) -> int:
        """Return how many more runs of this queue may start now."""
        most = self.total + self.express if queue.is_express or queue is Queue.CRITICAL else self.total
        return max(0, most - self.taken)

    async def wanted(self, queue: Queue, patience_seconds: float = MOMENT_SECONDS) -> int:
        """Return how many runs a queue may fetch now: as many as can start.

        When all slots are taken it waits a moment, because runs that end together free several at once, and all that
        start then are claimed in one. After that it is 1 more than can start, so that its queue waits with the others.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                while self.is_open and self.free(queue) == 0:
                    self._freed.clear()
                    await self._freed.wait()
        return max(1, self.free(queue))

    async def take(self, queue: Queue, most: int, patience_seconds: float) -> int:
        """Take between 1 and `most` slots, or none if there are none in time or no more runs are to start."""
        turn = asyncio.Event()
        self._waiting[queue].append(turn)
        try:
            if not await self._comes(turn, patience_seconds):
                return 0
            # One that was passed over for long gets a single slot, and the urgent ones the next again.
            most = 1 if self._passed_over[queue] >= STARVED_AFTER else most
            taken = min(most, self.free(queue))
            self._count(queue, taken)
            return taken
        finally:
            self._waiting[queue].remove(turn)
            self._wake()

    def give_back(self, count: int = 1) -> None:
        """Return slots of runs that have ended."""
        self.taken -= count
        # First who has a run to start.
        self._wake()
        self._freed.set()

    def close(self) -> None:
        """Hand out no more slots."""
        self.is_open = False
        self._freed.set()
        for waiting in self._waiting.values():
            for turn in waiting:
                turn.set()

    def _count(self, queue: Queue, taken: int) -> None:
        self.taken += taken
        self._passed_over[queue] = 0
        for other, waiting in self._waiting.items():
            if other is not queue and waiting:
                self._passed_over[other] += taken

    async def _comes(self, turn: asyncio.Event, patience_seconds: float) -> bool:
        try:
            async with asyncio.timeout(patience_seconds):
                # A more urgent queue may have come between the call and the awakening.
                while self.is_open and self._next() is not turn:
                    await turn.wait()
                    turn.clear()
        except TimeoutError:
            return False
        return self.is_open

    def _next(self) -> asyncio.Event | None:
        """Return whose turn it is; it stays so until that one has taken its slots or has gone."""
        waiting = [queue for queue in QUEUES if self._waiting[queue] and self.free(queue)]
        if not waiting:
            return None
        starved = max(waiting, key=lambda queue: self._passed_over[queue])
        queue = starved if self._passed_over[starved] >= STARVED_AFTER else waiting[0]
        return self._waiting[queue][0]

    def _wake(self) -> None:
        turn = self._next()
        if turn is not None:
            turn.set()
