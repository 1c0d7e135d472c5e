"""Bindings as they change: all of them at first, then only what is new, so that a change costs the same among 20,000."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from shared.domain.binding import Binding
from shared.store.bindings import binding_of
from shared.store.mongo import Collection, Database, Document, storage_errors

_OVERLAP = timedelta(seconds=60)
"""How far back it looks again: longer than a write takes, and than two members of a replica set differ in their clocks."""
_PAUSE_AFTER = 500


class BindingFeed:
    """One reader of the `bindings` collection, which remembers how far it has read."""

    def __init__(self, database: Database) -> None:
        self._bindings: Collection = database["bindings"]
        self._newest: datetime | None = None

    async def all(self) -> list[Binding]:
        """Return every binding of every organisation."""
        return [binding async for binding in self._read({})]

    async def changed(self) -> list[Binding]:
        """Return the bindings that were changed since the last read, and some that are known already."""
        if self._newest is None:
            return await self.all()
        return [binding async for binding in self._read({"changed_at": {"$gte": self._newest - _OVERLAP}})]

    async def _read(self, query: Document) -> AsyncIterator[Binding]:
        newest = self._newest
        with storage_errors():
            count = 0
            async for document in self._bindings.find(query):
                # Bindings that were written before there were such times have none.
                changed_at = document.get("changed_at")
                newest = max(filter(None, (newest, changed_at)), default=None)
                yield binding_of(document)
                count += 1
                if count % _PAUSE_AFTER == 0:
                    await asyncio.sleep(0)
        self._newest = newest
