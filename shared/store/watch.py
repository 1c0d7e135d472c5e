"""Keeps a configuration in memory as fresh as the database tells."""

import asyncio
from collections.abc import Callable

import structlog
from motor.motor_asyncio import AsyncIOMotorChangeStream

from shared.domain.configuration import Configuration
from shared.errors import StorageUnavailable
from shared.store.agents import AgentStore
from shared.store.bindings import BindingStore, binding_of
from shared.store.mongo import Database, Document, storage_errors

log = structlog.get_logger()

_TELL_OF = [{"$match": {"ns.coll": {"$in": ["agents", "bindings"]}}}]
_LONGEST_AWAIT_MS = 1_000
_RETRY_SECONDS = 0.5


class ConfigurationWatch:
    """Loads the configuration, then follows a change stream; after a failure it loads everything again."""

    def __init__(self, database: Database, on_change: Callable[[], None] = lambda: None) -> None:
        self.configuration = Configuration()
        self._database = database
        self._agents = AgentStore(database)
        self._bindings = BindingStore(database)
        self.on_change = on_change
        self.is_loaded = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._follow()
            except StorageUnavailable as error:
                log.warning("configuration.lost_sight", error=error.message)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        with storage_errors():
            async with self._database.watch(
                _TELL_OF, full_document="updateLookup", max_await_time_ms=_LONGEST_AWAIT_MS
            ) as stream:
                await stream.try_next()
                await self._load()
                await self._apply_changes(stream)

    async def _load(self) -> None:
        self.configuration.replace_agents(await self._agents.published())
        self.configuration.replace_bindings(await self._bindings.all())
        self.is_loaded.set()
        self.on_change()

    async def _apply_changes(self, stream: AsyncIOMotorChangeStream[Document]) -> None:
        while True:
            change = await stream.try_next()
            if change is not None:
                await self._apply(change)
                self.on_change()

    async def _apply(self, change: Document) -> None:
        document = change.get("fullDocument")
        if change["ns"].get("coll") == "bindings" and document is not None:
            self.configuration.put_binding(binding_of(document))
        else:
            await self._load()
