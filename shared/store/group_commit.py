"""Group commit: callers that arrive while a write is under way share the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_Group: TypeAlias = tuple[Sequence[Item], asyncio.Future[Sequence[Result]]]
"""What one caller has submitted together, and who waits for the results."""


class GroupCommit(Generic[Item, Result]):
    """Coalesces single writes into batches, without waiting to fill one.

    `write` gets between 1 and `most` items and returns a result for each, in order; an error it raises is raised to
    every caller of that batch. What one caller submits together is written together, as far as `most` allows. At most
    `writers` batches are written at a time. A caller that is cancelled does not take its items back: they may still be
    written.
    """

    def __init__(
        self, write: Callable[[list[Item]], Awaitable[Sequence[Result]]], most: int = 512, writers: int = 1
    ) -> None:
        self._write = write
        self._most = most
        self._writers = writers
        self._queue: deque[_Group[Item, Result]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = 0

    async def submit(self, item: Item) -> Result:
        """Write the item with whatever else is waiting, and return its result."""
        (result,) = await self._queued([item])
        return result

    async def submit_all(self, items: Sequence[Item]) -> list[Result]:
        """Write the items, and return the result of each; the first error of any is raised."""
        parts = [self._queued(items[first : first + self._most]) for first in range(0, len(items), self._most)]
        return [result for part in await asyncio.gather(*parts) for result in part]

    def _queued(self, items: Sequence[Item]) -> asyncio.Future[Sequence[Result]]:
        future: asyncio.Future[Sequence[Result]] = asyncio.get_running_loop().create_future()
        self._queue.append((items, future))
        if self._writing < self._writers:
            self._writing += 1
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _drain(self) -> None:
        try:
            while self._queue:
                await self._write_batch(self._next())
        finally:
            # In one step with finding the queue empty: a task counts as done only later, and what is submitted in
            # between would find a writer that takes nothing any more.
            self._writing -= 1

    def _next(self) -> list[_Group[Item, Result]]:
        """Take as many groups off the queue as are written together: at least one."""
        batch = [self._queue.popleft()]
        room = self._most - len(batch[0][0])
        while self._queue and len(self._queue[0][0]) <= room:
            batch.append(self._queue.popleft())
            room -= len(batch[-1][0])
        return batch

    async def _write_batch(self, batch: list[_Group[Item, Result]]) -> None:
        try:
            written = [item for items, _ in batch for item in items]
            results = await self._write(written)
            if len(results) != len(written):
                raise ValueError(f"{len(results)} results came of a write of {len(written)} items.")
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            if not isinstance(error, Exception):
                raise
            return
        first = 0
        for items, future in batch:
            if not future.done():
                future.set_result(results[first : first + len(items)])
            first += len(items)
