"""Run events as they happen, for any number of readers: the stream is followed once, and each reader has its own pace."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

import structlog

from shared.domain.run_feed import Latest, Position, Told
from shared.errors import MessagingUnavailable
from shared.messaging.run_event_stream import RunEventStream, Tail

log = structlog.get_logger()

_MOST_AT_HAND = 10_000
_MOST_AT_ONCE = 200
_READING_AT_ONCE = 4
_READY_SECONDS = 3.0
_RETRY_SECONDS = 0.2
_LINGER_SECONDS = 30.0
"""For so long the stream is followed on without a reader: most come back at once."""


class Gap(StrEnum):
    """Why facts may be missing: they are older than what is kept, or the stream was lost and made anew."""

    EXPIRED = "expired"
    STREAM_REPLACED = "stream_replaced"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reader is told next, and its position after it; without a gap and without facts, that nothing happened."""

    position: Position
    told: Sequence[Told] = ()
    gap: Gap | None = None


class LiveFeed:
    """Follows the stream while there are readers. A slow reader delays nobody: it reads on where it was, from the stream."""

    def __init__(self, stream: RunEventStream, most_at_hand: int = _MOST_AT_HAND) -> None:
        self.stream = stream
        self._most_at_hand = most_at_hand
        self._latest: Latest | None = None
        self._changed = asyncio.Event()
        self._readers = 0
        self._left_at = 0.0
        self._is_closed = False
        self._wanted = asyncio.Event()
        self._reading = asyncio.Semaphore(_READING_AT_ONCE)

    async def now(self) -> Position:
        """Return the position after which everything is still to come; raises MessagingUnavailable."""
        with self._reader():
            latest = await self._ready()
            return Position(latest.created_ms, latest.head)

    async def follow(
        self, after: Position, pattern: str, quiet_seconds: float, longest_seconds: float
    ) -> AsyncGenerator[Heard, None]:
        """Yield the facts under a pattern that follow a position, old and new, each once and in order.

        After so many quiet seconds it yields that nothing happened. It ends after the longest time, when the feed is
        closed, and raises MessagingUnavailable when what is older cannot be read.
        A sequence of 0 means everything that is kept.
        """
        with self._reader():
            position, told_at = after, _now()
            ends_at = told_at + longest_seconds
            while not self._is_closed and _now() < ends_at:
                changed = self._changed
                heard = await self._next(await self._ready(), position, pattern)
                has_moved, position = heard.position != position, heard.position
                if heard.told or heard.gap or _now() - told_at >= quiet_seconds:
                    told_at = _now()
                    yield heard
                elif not has_moved:
                    await _until(changed, min(told_at + quiet_seconds, ends_at))

    def close(self) -> None:
        """End every reading. May be called by a signal."""
        self._is_closed = True
        self._notify()

    async def run(self) -> None:
        """Follow the stream whenever there are readers, until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                await self._follow_stream()
            finally:
                self._latest = None

    async def _next(self, latest: Latest, position: Position, pattern: str) -> Heard:
        if position.created_ms != latest.created_ms:
            return Heard(Position(latest.created_ms, 0), gap=Gap.STREAM_REPLACED)
        if position.sequence < latest.floor:
            return await self._from_stream(position, pattern)
        told, reached = latest.after(position.sequence, pattern, _MOST_AT_ONCE)
        return Heard(Position(latest.created_ms, max(reached, position.sequence)), told)

    async def _from_stream(self, position: Position, pattern: str) -> Heard:
        async with self._reading:
            page = await self.stream.page(position.sequence, pattern, _MOST_AT_ONCE)
        if page.state.created_ms != position.created_ms:
            return Heard(Position(page.state.created_ms, 0), gap=Gap.STREAM_REPLACED)
        if 0 < position.sequence < page.state.first - 1:
            return Heard(Position(position.created_ms, 0), gap=Gap.EXPIRED)
        return Heard(Position(position.created_ms, page.reached), page.told)

    @contextmanager
    def _reader(self) -> Iterator[None]:
        """Have the stream followed while this reader is there, and for a moment longer."""
        self._readers += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._readers -= 1
            self._left_at = _now()

    async def _ready(self) -> Latest:
        with suppress(TimeoutError):
            async with asyncio.timeout(_READY_SECONDS):
                while self._latest is None and self.stream.is_connected and not self._is_closed:
                    await self._changed.wait()
        if self._latest is None:
            raise MessagingUnavailable("NATS does not answer, so run events cannot be followed.")
        return self._latest

    @property
    def _is_wanted(self) -> bool:
        return self._readers > 0 or _now() - self._left_at < _LINGER_SECONDS

    async def _follow_stream(self) -> None:
        while self._is_wanted:
            try:
                await self._follow_once()
            except MessagingUnavailable as error:
                log.warning("live_feed.interrupted", error=error.message)
                await asyncio.sleep(_RETRY_SECONDS)
        self._wanted.clear()

    async def _follow_once(self) -> None:
        """Take what comes, until the stream shows that something has not come, or is another one by now."""
        state = await self.stream.state()
        if self._latest is None or self._latest.created_ms != state.created_ms:
            self._latest = Latest(state.created_ms, state.last, self._most_at_hand)
        latest = self._latest
        self._notify()
        tail = await self.stream.tail(latest.head)
        try:
            while self._is_wanted:
                await self._take(tail, latest)
                state = await self.stream.state()
                if state.created_ms != latest.created_ms or state.last > latest.head:
                    return
        finally:
            with suppress(MessagingUnavailable):
                await tail.stop()

    async def _take(self, tail: Tail, latest: Latest) -> None:
        """Take what comes until nothing comes for half a second."""
        while True:
            told, head = await tail.next()
            if head is None:
                return
            latest.add(told, head)
            self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _until(changed: asyncio.Event, at: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout_at(at):
            await changed.wait()
