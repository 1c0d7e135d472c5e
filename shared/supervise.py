"""Keeps a service's loops going: a bug in one round is logged, and the loop starts again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

log = structlog.get_logger()

_PAUSE_SECONDS = 1.0
_CANCEL_AGAIN_SECONDS = 0.25


async def stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel the tasks until they have ended: Python 3.11's `wait_for` may swallow a cancellation now and then."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)


async def supervised(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run the loop until cancelled, again after every error that it did not expect."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("loop.crashed", loop=name)
        await asyncio.sleep(_PAUSE_SECONDS)
