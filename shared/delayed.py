"""Small writes that nobody waits for: collected for a moment, and done together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

import structlog

from shared.errors import StorageUnavailable

log = structlog.get_logger()

Item = TypeVar("Item")

_DELAY_SECONDS = 0.25
"""One write for a hundred items costs hardly more than one for a single item."""


class Delayed(Generic[Item]):
    """Hands items to `write` a little later, many together. What a crash or a failure cuts off, the sweep does again."""

    def __init__(self, name: str, write: Callable[[Sequence[Item]], Awaitable[None]]) -> None:
        self._name = name
        self._write = write
        self._items: list[Item] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, items: Iterable[Item]) -> None:
        """Have these items written soon."""
        self._items.extend(items)
        if self._items and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._write_later())

    async def settled(self) -> None:
        """Wait until everything that was added is written, or has failed to be."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _write_later(self) -> None:
        while self._items:
            await asyncio.sleep(_DELAY_SECONDS)
            items, self._items = self._items, []
            try:
                await self._write(items)
            except StorageUnavailable as error:
                log.warning("notes.postponed", what=self._name, count=len(items), error=error.message)
