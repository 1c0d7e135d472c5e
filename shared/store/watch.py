"""Keeps a configuration in memory as fresh as the database tells."""

import asyncio
import time
from collections.abc import Callable

import structlog

from shared.domain.configuration import Configuration
from shared.errors import StorageUnavailable
from shared.store.agents import AgentStore
from shared.store.binding_feed import BindingFeed
from shared.store.mongo import Database
from shared.store.revision import Revision

log = structlog.get_logger()

_LOOK_EVERY_SECONDS = 0.25
_LOAD_EVERY_SECONDS = 30.0
"""In case a process was killed between a change and the note of it."""
_LOAD_ALL_EVERY_SECONDS = 600.0
"""In case somebody has deleted bindings, or restored an older state of the database."""


class ConfigurationWatch:
    """Loads the configuration, and again when its revision has changed.

    It asks for one number a few times a second. A change stream would have the server look at every write of every
    run, once for each process that follows one.
    """

    def __init__(self, database: Database) -> None:
        self.configuration = Configuration()
        self._agents = AgentStore(database)
        self._bindings = BindingFeed(database)
        self._revision = Revision(database)
        self._loaded: int | None = None
        self._load_at = 0.0
        self._load_all_at = 0.0
        self._told: list[Callable[[], None]] = []
        self.is_loaded = asyncio.Event()

    def tell(self, of_change: Callable[[], None]) -> None:
        """Call this after each change from now on, too."""
        self._told.append(of_change)

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self.look()
            except StorageUnavailable as error:
                log.warning("configuration.lost_sight", error=error.message)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Load what is not known yet."""
        revision = await self._revision.number()
        if revision == self._loaded and time.monotonic() < self._load_at:
            return
        await self._load()
        self._load_at = time.monotonic() + _LOAD_EVERY_SECONDS
        if revision != self._loaded:
            self._loaded = revision
            for of_change in self._told:
                of_change()
        self.is_loaded.set()

    async def _load(self) -> None:
        self.configuration.replace_agents(await self._agents.published(), await self._agents.statuses())
        if time.monotonic() >= self._load_all_at:
            self.configuration.replace_bindings(await self._bindings.all())
            self._load_all_at = time.monotonic() + _LOAD_ALL_EVERY_SECONDS
            return
        for binding in await self._bindings.changed():
            self.configuration.put_binding(binding)
