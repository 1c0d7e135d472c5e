"""What follows from ends that were committed: done at once, and noted as done a little later, many together."""

import asyncio
from collections.abc import Coroutine, Sequence

import structlog

from shared.aftermath import Aftermath
from shared.delayed import Delayed
from shared.store.mongo import Document

log = structlog.get_logger()


class Following:
    """Works in the background. What fails here, or is cut off by a crash, the sweep does again."""

    def __init__(self, aftermath: Aftermath) -> None:
        self._aftermath = aftermath
        self._tasks: set[asyncio.Task[None]] = set()
        self._followed: Delayed[Document] = Delayed("aftermath", aftermath.note)

    def begin(self, finished: Sequence[Document], waiting: Sequence[Document]) -> None:
        """Begin to do what follows from these committed ends, and from these returns to wait for something."""
        if finished:
            self._start(self._follow(finished))
        if waiting:
            self._start(self._aftermath.leave(waiting))

    async def settled(self) -> None:
        """Wait until everything that was begun is done and noted."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._followed.settled()

    async def _follow(self, finished: Sequence[Document]) -> None:
        if await self._aftermath.tell(finished):
            self._followed.add(finished)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The runs stay due for the sweep, which follows them again.
            log.warning("aftermath.postponed", error=str(error))
