"""The database's clock, by which everything is timed that is stored: the clocks of the processes may disagree."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from shared.clock import Clock, utc_now
from shared.errors import StorageUnavailable
from shared.store.mongo import Mongo

log = structlog.get_logger()

_MEASURE_EVERY_SECONDS = 10.0
_WORTH_SAYING = timedelta(seconds=2)


class ServerClock:
    """Tells the database's time: the last answer of the server, and how long ago that was.

    Until the server has answered it tells the time of this machine.
    """

    def __init__(self, mongo: Mongo, local: Clock = utc_now, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._mongo = mongo
        self._local = local
        self._elapsed = elapsed
        self._base = _to_milliseconds(local())
        self._base_elapsed = elapsed()

    def __call__(self) -> datetime:
        """Return the time in UTC, at the millisecond that MongoDB keeps."""
        return self._base + timedelta(milliseconds=int((self._elapsed() - self._base_elapsed) * 1_000))

    async def run(self) -> None:
        """Ask the server now and then until cancelled."""
        while True:
            try:
                await self.measure()
            except StorageUnavailable:
                log.debug("clock.not_measured")
            await asyncio.sleep(_MEASURE_EVERY_SECONDS)

    async def measure(self) -> None:
        """Ask the server for its time; raises StorageUnavailable when there is none."""
        asked = self._elapsed()
        told = await self._mongo.server_time()
        answered = self._elapsed()
        off = told - self._local()
        if abs(off) > _WORTH_SAYING and abs(told - self()) > _WORTH_SAYING:
            log.warning("clock.differs", seconds=round(-off.total_seconds(), 1))
        self._base, self._base_elapsed = _to_milliseconds(told), (asked + answered) / 2


def _to_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)
