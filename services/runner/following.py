"""What follows from ends that were committed: done at once, and noted as done a little later, many together."""

import asyncio
from collections.abc import Coroutine, Sequence

import structlog

from shared.aftermath import Aftermath
from shared.store.mongo import Document

log = structlog.get_logger()

_NOTE_AFTER_SECONDS = 0.1
"""Nobody waits for the note, and one for a hundred runs costs hardly more than one for a single run."""


class Following:
    """Works in the background. What fails here, or is cut off by a crash, the sweep does again."""

    def __init__(self, aftermath: Aftermath) -> None:
        self._aftermath = aftermath
        self._tasks: set[asyncio.Task[None]] = set()
        self._followed: list[Document] = []

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

    async def _follow(self, finished: Sequence[Document]) -> None:
        if not await self._aftermath.tell(finished):
            return
        if not self._followed:
            self._start(self._note_later())
        self._followed.extend(finished)

    async def _note_later(self) -> None:
        await asyncio.sleep(_NOTE_AFTER_SECONDS)
        followed, self._followed = self._followed, []
        await self._aftermath.note(followed)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The runs stay due for the sweep, which follows them again.
            log.warning("aftermath.postponed", error=str(error))
