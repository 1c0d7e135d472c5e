"""A backend that does not give up: it publishes events at a pace, each until it is answered, with the same id."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Final, Self

import aiohttp
import orjson

from infra.chaos.events import Sent

_ACCEPTED: Final = 202
_MOST_AT_ONCE: Final = 512
_REQUEST_TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0, connect=2.0)
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 2.0
_TICK_SECONDS: Final = 0.02
_LAST_ANSWER_SECONDS: Final = 150.0
_HEADERS: Final = {"Content-Type": "application/cloudevents+json"}


class EventRefused(Exception):
    """The gateway found fault with an event, which no retry would mend."""


@dataclass(slots=True)
class Sending:
    """What was sent so far.

    `answers` counts statuses, and what came instead of one. `accepted` holds the keys of events that were answered with 202, and the mark that a proposal of each must bear;
    None when its Agent proposes nothing.
    """

    sent: int = 0
    unanswered: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, str | None] = field(default_factory=dict)
    slowest_seconds: float = 0.0


class Backend:
    """Publishes through one gateway, on connections of its own for each organisation's token."""

    def __init__(self, gateway_url: str, tokens: Mapping[str, str]) -> None:
        self.sending = Sending()
        self._gateway_url = gateway_url
        self._tokens = {name: {**_HEADERS, "Authorization": f"Bearer {token}"} for name, token in tokens.items()}
        self._random = Random(0)  # noqa: S311 - only spreads retries
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=_REQUEST_TIMEOUT,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def publish_for(self, seconds: float, per_second: float, events: Iterator[Sent]) -> None:
        """Publish at the pace given; return when every event that was sent is accepted, or long after it should be.

        What is not answered holds a place, so a gateway that is away for long slows the pace, and is not flooded
        afterwards.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds + _LAST_ANSWER_SECONDS), asyncio.TaskGroup() as calls:
                await self._start_calls(calls, seconds, per_second, events)

    async def publish(self, events: Sequence[Sent]) -> None:
        """Publish these events at once; return when all are accepted."""
        async with asyncio.timeout(_LAST_ANSWER_SECONDS), asyncio.TaskGroup() as calls:
            for event in events:
                await self._places.acquire()
                self.sending.sent += 1
                calls.create_task(self._publish(event))

    async def cancel_all(self, organisation: str) -> None:
        """End every run of an organisation; raises aiohttp.ClientError when the gateway does not do it."""
        headers = self._tokens[organisation] | {"Content-Type": "application/json"}
        body = orjson.dumps({"all_users": True})
        async with self._session.post(f"{self._gateway_url}/api/agent-runs/cancel", data=body, headers=headers) as done:
            done.raise_for_status()

    async def _start_calls(
        self, calls: asyncio.TaskGroup, seconds: float, per_second: float, events: Iterator[Sent]
    ) -> None:
        begun, first = time.monotonic(), self.sending.sent
        try:
            while (elapsed := time.monotonic() - begun) < seconds:
                while self.sending.sent - first < elapsed * per_second:
                    await self._places.acquire()
                    self.sending.sent += 1
                    calls.create_task(self._publish(next(events)))
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            self.sending.seconds += time.monotonic() - begun

    async def _publish(self, event: Sent) -> None:
        begun, wait_seconds = time.monotonic(), _FIRST_WAIT_SECONDS
        try:
            while not await self._is_accepted(event):
                self.sending.unanswered += 1
                await asyncio.sleep(wait_seconds * self._random.uniform(0.5, 1.5))
                wait_seconds = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS)
        finally:
            self._places.release()
        self.sending.accepted[event.key] = event.mark if event.asks_a_model else None
        self.sending.slowest_seconds = max(self.sending.slowest_seconds, time.monotonic() - begun)

    async def _is_accepted(self, event: Sent) -> bool:
        headers = self._tokens[event.organisation]
        try:
            async with self._session.post(
                f"{self._gateway_url}/api/events", data=event.body, headers=headers
            ) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.sending.answers[type(error).__name__] += 1
            return False
        self.sending.answers[str(answer.status)] += 1
        if 400 <= answer.status < 500:
            raise EventRefused(f"{answer.status}: {content[:500].decode(errors='replace')}")
        return answer.status == _ACCEPTED
