"""Which of the schedulers works: the others stand by, ready to take over."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.errors import StorageUnavailable
from shared.store.leases import LeaseStore

log = structlog.get_logger()

_NAME = "scheduler"


class Leader:
    """Holds the lease while it can. Two leaders at once, for a moment, only do the same work twice."""

    def __init__(self, leases: LeaseStore, owner: str, lease_seconds: float) -> None:
        self._leases = leases
        self._owner = owner
        self._lease_seconds = lease_seconds
        self.is_leading = asyncio.Event()

    async def run(self) -> None:
        """Take and keep the lease until cancelled, then let others have it at once."""
        try:
            while True:
                await self._renew()
                await asyncio.sleep(self._lease_seconds / 3)
        finally:
            self.is_leading.clear()
            try:
                await self._leases.release(_NAME, self._owner)
            except StorageUnavailable as error:
                log.warning("leadership.not_released", error=error.message)

    async def keep_doing(self, name: str, work: Callable[[], Awaitable[object]], every_seconds: float) -> None:
        """Do the work again and again while this process leads; what MongoDB's absence cuts short is done next time."""
        while True:
            await self.is_leading.wait()
            try:
                await work()
            except StorageUnavailable as error:
                log.warning("round.postponed", loop=name, error=error.message)
            await asyncio.sleep(every_seconds)

    async def _renew(self) -> None:
        try:
            leadership = await self._leases.acquire(_NAME, self._owner, self._lease_seconds)
        except StorageUnavailable as error:
            log.warning("leadership.unknown", error=error.message)
            leadership = None
        if leadership is None:
            if self.is_leading.is_set():
                log.warning("leadership.lost")
            self.is_leading.clear()
        elif not self.is_leading.is_set():
            log.info("leadership.taken", epoch=leadership.epoch)
            self.is_leading.set()
