"""How much is coming in, as the stream of events tells."""

import time
from collections.abc import Callable

import nats.errors
from nats.aio.client import Client

from contracts.streams import EVENTS

LIGHT = 20
"""So many events a second, or fewer, leave nearly all of a machine to other work."""
_TIMEOUT_SECONDS = 2.0


class Traffic:
    """Compares what the stream has taken so far with what it had when it was asked before."""

    def __init__(self, client: Client, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._jetstream = client.jetstream(timeout=_TIMEOUT_SECONDS)
        self._elapsed = elapsed
        self._last: int | None = None
        self._asked_at = elapsed()

    async def is_light(self) -> bool:
        """Return whether hardly any events have come since the last time this was asked.

        The first time, and while the server cannot say, it is taken to be otherwise.
        """
        last, now = await self._events_so_far(), self._elapsed()
        before, since = self._last, now - self._asked_at
        self._last, self._asked_at = last, now
        if last is None or before is None:
            return False
        # A stream that was lost begins anew.
        return 0 <= last - before <= max(1, LIGHT * since)

    async def _events_so_far(self) -> int | None:
        if not self._client.is_connected:
            return None
        try:
            return int((await self._jetstream.stream_info(EVENTS.name)).state.last_seq)
        except (TimeoutError, nats.errors.Error):
            return None
