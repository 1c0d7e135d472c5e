"""Serving the offline model from an event loop: a test's, or the process's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from infra.offline_model.app import build_app
from infra.offline_model.exchange import Options

_GRACE_SECONDS = 0.5


@asynccontextmanager
async def serving(host: str = "127.0.0.1", port: int = 0, options: Options | None = None) -> AsyncIterator[str]:
    """Serve until the block ends, and give its address, such as `http://127.0.0.1:8090`; port 0 takes a free one.

    The API is under `/v1`. Raises OSError when the port is taken.
    """
    # Without handler cancellation a caller that hung up could not be told from one that waited for its answer.
    runner = web.AppRunner(
        build_app(options or Options()),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_GRACE_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
