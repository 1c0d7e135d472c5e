"""Group commit: callers that arrive while a write is under way share the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Coalesces single writes into batches, without waiting to fill one.

    `write` gets between 1 and `most` items and returns a result for each, in order; an error it raises is raised to
    every caller of that batch. At most `writers` batches are written at a time. A caller that is cancelled does not
    take its item back: it may still be written.
    """

    def __init__(
        self, write: Callable[[list[Item]], Awaitable[Sequence[Result]]], most: int = 512, writers: int = 1
    ) -> None:
        self._write = write
        self._most = most
        self._writers = writers
        self._queue: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = 0

    async def submit(self, item: Item) -> Result:
        """Write the item with whatever else is waiting, and return its result."""
        (future,) = self._queued([item])
        return await future

    async def submit_all(self, items: Sequence[Item]) -> list[Result]:
        """Write the items, and return the result of each; the first error of any is raised."""
        return await asyncio.gather(*self._queued(items))

    def _queued(self, items: Sequence[Item]) -> list[asyncio.Future[Result]]:
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Result]] = [loop.create_future() for _ in items]
        self._queue.extend(zip(items, futures, strict=True))
        if self._queue and self._writing < self._writers:
            self._writing += 1
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return futures

    async def _drain(self) -> None:
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]
                await self._write_batch(batch)
        finally:
            # In one step with finding the queue empty: a task counts as done only later, and what is submitted in
            # between would find a writer that takes nothing any more.
            self._writing -= 1

    async def _write_batch(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._write([item for item, _ in batch])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
