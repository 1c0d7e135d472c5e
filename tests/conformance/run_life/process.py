"""A process that stops at one of its writes: it goes on later, or was killed there."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a process stops: at its n-th write from now, before it takes effect or after."""

    at: int
    is_written: bool


class Process:
    """Counts the writes of one process. What it does at the same time happens in a settled order."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._stop: Stop | None = None
        self._writes = 0
        self._has_stopped = asyncio.Event()
        self._goes_on = asyncio.Event()

    async def do(self, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do something, after everything that was asked for before."""
        async with self._turn:
            return await work()

    async def write(self, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do one write, unless the process stops before it; one that has stopped anywhere does nothing more."""
        if self._has_stopped.is_set():
            await self._goes_on.wait()
        self._writes += 1
        await self._reached(Stop(self._writes, is_written=False))
        answer = await work()
        await self._reached(Stop(self._writes, is_written=True))
        return answer

    async def _reached(self, point: Stop) -> None:
        if point == self._stop:
            self._has_stopped.set()
            await self._goes_on.wait()

    async def run(self, work: Coroutine[Any, Any, Answer], stop: Stop | None) -> "Answer | Stopped[Answer]":
        """Do the work until it is done or the process stops."""
        self._stop, self._writes = stop, 0
        task = asyncio.create_task(work)
        stopped = asyncio.create_task(self._has_stopped.wait())
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        return await task if task.done() else Stopped(task, self._goes_on)


@dataclass(frozen=True, slots=True)
class Stopped(Generic[Answer]):
    """The rest of the work of a process that has stopped."""

    task: asyncio.Task[Answer]
    goes_on: asyncio.Event

    async def go_on(self) -> Answer:
        """Do the rest."""
        self.goes_on.set()
        return await self.task

    async def kill(self) -> None:
        """Never do the rest."""
        self.task.cancel()
        await asyncio.wait((self.task,))
