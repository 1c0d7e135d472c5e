"""Keeps a service's loops going: a bug in one round is logged, and the loop starts again."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

_PAUSE_SECONDS = 1.0


async def supervised(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run the loop until cancelled, again after every error that it did not expect."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("loop.crashed", loop=name)
        await asyncio.sleep(_PAUSE_SECONDS)
