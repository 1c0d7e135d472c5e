"""Waiting for what a running platform shows from outside."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

POLL_SECONDS = 0.03

Seen = TypeVar("Seen")


async def until_seen(
    look: Callable[[], Awaitable[Seen]], wanted: Callable[[Seen], bool], timeout_seconds: float = 20.0
) -> Seen:
    """Look until what is seen is wanted, and return it; fail with `TimeoutError`, which shows what was seen last."""
    seen: list[Seen] = []
    try:
        async with asyncio.timeout(timeout_seconds):
            while True:
                seen = [await look()]
                if wanted(seen[0]):
                    return seen[0]
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        last = repr(seen[0])[:2_000] if seen else "nothing"
        raise TimeoutError(f"not seen within {timeout_seconds} s; last seen was: {last}") from error
