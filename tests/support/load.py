"""A backend that does not give up: it publishes the same events until they are accepted."""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp

from tests.support.caller import Answer, Caller

BATCH = 10
AT_ONCE = 8
AGAIN_AFTER_SECONDS = 0.1
SERVICE_UNAVAILABLE = 503

Document = dict[str, Any]


async def publish_all(caller: Caller, events: Sequence[Document]) -> list[Answer]:
    """Publish all events in batches, several at once; return the last answer to each batch."""
    places = asyncio.Semaphore(AT_ONCE)

    async def publish(batch: Sequence[Document]) -> Answer:
        async with places:
            return await _publish_until_answered(caller, batch)

    return await asyncio.gather(*(publish(batch) for batch in _batches(events)))


def _batches(events: Sequence[Document]) -> list[Sequence[Document]]:
    return [events[start : start + BATCH] for start in range(0, len(events), BATCH)]


async def _publish_until_answered(caller: Caller, events: Sequence[Document]) -> Answer:
    while True:
        try:
            answer = await caller.publish(*events)
        except (aiohttp.ClientError, TimeoutError):
            answer = None
        if answer is not None and answer.status != SERVICE_UNAVAILABLE:
            return answer
        await asyncio.sleep(AGAIN_AFTER_SECONDS)
